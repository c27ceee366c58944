"""What is asked for: the command or call, its bundle, its environment, its limits. Immutable, checked at the door."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

__all__ = ["EnvironmentRequest", "JobRequest", "Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one job; None is no limit."""

    cpu_millicores: int | None = None
    """1000 = one core's worth of time."""
    memory_bytes: int | None = None
    """Memory with page cache; swap beyond it is off."""
    max_processes: int | None = None
    """Processes and threads together, as the kernel's pids controller counts them."""
    disk_bytes: int | None = None
    """Working and output directory together."""
    gpus: int = 0

    def over(self, defaults: Limits) -> Limits:
        """These limits, with `defaults` where this one has none."""
        return Limits(
            **{
                each.name: getattr(self, each.name) or getattr(defaults, each.name)
                for each in dataclasses.fields(Limits)
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentRequest:
    """What the job needs around it."""

    env_vars: dict[str, str] = field(default_factory=dict)
    extras: tuple[str, ...] = ()
    """Extras of the bundle's pyproject.toml."""
    pip_packages: tuple[str, ...] = ()
    python_version: str | None = None
    """`3.12`: the Python to build with, and for a pickled call the one it was pickled with."""
    base_image: str | None = None
    """Docker only; None is the worker's default for the Python version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """One submission. Exactly one of `command` and `entrypoint` is set."""

    name: str
    command: tuple[str, ...] = ()
    entrypoint: bytes | None = field(default=None, repr=False)
    """A pickled `(function, args, kwargs)`: opaque bytes to the worker, loaded inside the job only.

    Empty bytes once the store holds them: nobody keeps them in memory while the job waits."""
    bundle: str | None = None
    """Any fsspec address of a zip file."""
    bundle_sha256: str | None = None
    """Hex digest of an uploaded bundle, or the digest that `bundle` must have."""
    environment: EnvironmentRequest = field(default_factory=EnvironmentRequest)
    limits: Limits = field(default_factory=Limits)
    build_limits: Limits = field(default_factory=Limits)
    timeout_seconds: float | None = None
    build_timeout_seconds: float | None = None
    grace_seconds: float = 10.0
    ports: tuple[str, ...] = ()
    """Names; each gets a free TCP port of the host and FLUSTER_PORT_<NAME>."""

    def evolve(self, **changes: Any) -> JobRequest:
        """This request with `changes`."""
        return dataclasses.replace(self, **changes)
