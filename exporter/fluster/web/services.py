"""What the doors of the web are given: the parts of a worker that they ask. Made by `app`, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fluster.bundles import BundleStore
    from fluster.collectors import Exposition
    from fluster.config import Settings
    from fluster.logs import LogStore
    from fluster.manager import JobManager
    from fluster.runtime import Runtime

__all__ = ["Services"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """One worker's parts."""

    settings: Settings
    manager: JobManager
    logs: LogStore
    bundles: BundleStore
    runtime: Runtime
    exposition: Exposition
    started_ns: int
    token: str | None = None
    """The bearer token of this worker, None where it needs none."""
    metrics_token: str | None = None
    """A token that may read /metrics and nothing else."""
