"""What the doors of the web are given: the parts of a worker that they ask. Made by `app`, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fluster.builder.contract import Builder
    from fluster.bundles import BundleStore
    from fluster.config import Settings
    from fluster.logs import LogStore
    from fluster.manager import JobManager
    from fluster.runtime import Runtime

__all__ = ["Services"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """One worker's parts. `registry` is the prometheus_client registry of the collectors, opaque to every door but metrics."""

    settings: Settings
    manager: JobManager
    logs: LogStore
    bundles: BundleStore
    runtime: Runtime
    builder: Builder
    registry: Any
    started_ns: int
    token: str | None = None
    metrics_token: str | None = None
