"""What a builder is: it makes the environment that a job runs in, once for equal inputs, and writes every line to the build log."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from fluster.cri import CriWriter
from fluster.job import EnvironmentRequest, Limits

__all__ = ["BuildRequest", "Builder", "BuilderCounts", "BuiltEnvironment"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequest:
    """Everything that decides what is built; the job's id is not in it, so that equal inputs share."""

    source: Path | None
    """The extracted bundle, read-only; None where the job brings no files."""
    environment: EnvironmentRequest
    needs_python: bool = False
    """The job is a pickled call: its Python must be there and have the version of `environment.python_version`."""
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltEnvironment:
    """What the job runs in."""

    tag: str
    """Docker: image tag; process: key of the virtual environment; empty where nothing had to be built."""
    from_cache: bool
    image: str = ""
    env_vars: dict[str, str] = field(default_factory=dict)
    """PATH, VIRTUAL_ENV and the like; the request's own variables win over them."""
    python: str = "python3"
    """The command that loads a pickled call."""


@dataclass(slots=True)
class BuilderCounts:
    """For the collectors. `builds` by "built" | "cached" | "failed"; `requests` by "hit" | "miss"."""

    builds: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    evictions: int = 0
    cache_bytes: int | None = None


class Builder(ABC):
    """Concurrent builds of the same key wait for one; a cancelled build leaves no half-made result."""

    counts: BuilderCounts

    @abstractmethod
    async def build(self, request: BuildRequest, log: CriWriter) -> BuiltEnvironment:
        """Raises BuildError (the job's fault, the log says why), StartError (wrong Python for the call) or
        InfrastructureError. A hit says so in `log`, too.
        """

    async def close(self) -> None:
        """Release connections. Idempotent."""
        return

    @abstractmethod
    async def evict(self, in_use: Collection[str]) -> None:
        """Remove what was not used for longest, until the cache is within its limit; never a tag that a live job uses."""
