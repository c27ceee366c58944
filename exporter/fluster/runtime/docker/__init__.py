"""Jobs as containers of any engine that speaks the Docker API."""

from fluster.runtime.docker.runtime import DockerRuntime

__all__ = ["DockerRuntime"]
