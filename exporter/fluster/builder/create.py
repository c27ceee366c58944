"""Which builder goes with which runtime."""

from __future__ import annotations

from collections.abc import Collection

from fluster.builder.contract import Builder, BuilderCounts, BuildRequest, BuiltEnvironment
from fluster.config import Settings
from fluster.cri import CriWriter

__all__ = ["NoBuilder", "create_builder"]


def create_builder(runtime: str, settings: Settings, *, docker_url: str | None = None) -> Builder:
    """The builder for the runtime of this name."""
    if runtime == "docker":
        from fluster.builder.docker import ImageBuilder

        return ImageBuilder(settings, base_url=docker_url)
    if runtime == "process":
        from fluster.builder.environment import EnvironmentBuilder

        return EnvironmentBuilder(settings)
    return NoBuilder()


class NoBuilder(Builder):
    """For the fake runtime: nothing runs, so nothing is built."""

    def __init__(self) -> None:
        self.counts = BuilderCounts()

    async def build(self, request: BuildRequest, log: CriWriter) -> BuiltEnvironment:
        log.line("nothing to build")
        self.counts.builds["built"] += 1
        return BuiltEnvironment(tag="", from_cache=False)

    async def evict(self, in_use: Collection[str]) -> None:
        """There is nothing."""
