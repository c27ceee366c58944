"""Builders make what a job runs in: images for docker, virtual environments for processes."""

from fluster.builder.contract import Builder, BuilderCounts, BuildRequest, BuiltEnvironment
from fluster.builder.create import create_builder

__all__ = ["BuildRequest", "Builder", "BuilderCounts", "BuiltEnvironment", "create_builder"]
