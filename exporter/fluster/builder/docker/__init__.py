"""Images for the docker runtime, tagged by the hash of everything that went in."""

from fluster.builder.docker.images import ImageBuilder

__all__ = ["ImageBuilder"]
