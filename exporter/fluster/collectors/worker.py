"""The families of the worker itself: what it is, its queue, its caches, its engine, its disks."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from fluster.builder import Builder
from fluster.bundles import BundleStore
from fluster.collectors.families import Families
from fluster.config import Settings
from fluster.logs import LogStore
from fluster.manager import JobManager
from fluster.runtime import Runtime
from fluster.stats import Sampler
from fluster.version import __version__

__all__ = ["WorkerCollector"]

_NAMES = (
    "fluster_build_info",
    "fluster_worker_info",
    "fluster_jobs",
    "fluster_slots",
    "fluster_slots_used",
    "fluster_queue_length",
    "fluster_queue_limit",
    "fluster_builds_total",
    "fluster_image_cache_requests_total",
    "fluster_image_cache_evictions_total",
    "fluster_bundle_cache_requests_total",
    "fluster_bundle_cache_evictions_total",
    "fluster_cache_bytes",
    "fluster_engine_up",
    "fluster_engine_requests_total",
    "fluster_stats_errors_total",
    "fluster_log_store_bytes",
    "fluster_filesystem_size_bytes",
    "fluster_filesystem_free_bytes",
    "fluster_jobs_recovered_total",
    "fluster_orphans_removed_total",
)


class WorkerCollector:
    """`refresh` reads the disks, in a thread, now and then; `collect` only looks into memory."""

    def __init__(
        self, settings: Settings, manager: JobManager, logs: LogStore, bundles: BundleStore, runtime: Runtime,
        builder: Builder, sampler: Sampler,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._manager = manager
        self._logs = logs
        self._bundles = bundles
        self._runtime = runtime
        self._builder = builder
        self._sampler = sampler
        self._disks: dict[str, tuple[int, int]] = {}
        self.engine_up = True

    def refresh(self) -> None:
        """Blocking."""
        for name, path in (("state", self._settings.state_dir), ("cache", self._settings.cache_dir)):
            facts = _file_system(path)
            if facts is not None:
                self._disks[name] = facts

    def collect(self) -> Families:
        families = Families(_NAMES)
        add = families.add
        info, manager = self._runtime.info, self._manager
        add("fluster_build_info", 1, __version__, platform.python_version())
        cgroups = "" if info.cgroup_version is None else str(info.cgroup_version)
        add("fluster_worker_info", 1, self._settings.worker_id, info.name, info.engine_version, cgroups)
        for state, count in manager.counts().items():
            add("fluster_jobs", count, state.label)
        add("fluster_slots", manager.slots)
        add("fluster_slots_used", manager.slots_used)
        add("fluster_queue_length", manager.queue_length)
        add("fluster_queue_limit", manager.queue_limit)
        self._caches(families)
        add("fluster_engine_up", int(self.engine_up))
        for (operation, outcome), count in sorted(self._runtime.operations.snapshot().items()):
            add("fluster_engine_requests_total", count, operation, outcome)
        for collector in ("stats", "disk", "gpu"):
            add("fluster_stats_errors_total", self._sampler.errors[collector], collector)
        add("fluster_log_store_bytes", self._logs.retention.bytes)
        for name, (size, free) in self._disks.items():
            add("fluster_filesystem_size_bytes", size, name)
            add("fluster_filesystem_free_bytes", free, name)
        for outcome in ("adopted", "lost", "queued"):
            add("fluster_jobs_recovered_total", manager.recovered[outcome], outcome)
        add("fluster_orphans_removed_total", self._runtime.orphans_removed)
        return families

    def _caches(self, families: Families) -> None:
        add = families.add
        builder, bundles = self._builder.counts, self._bundles.counts
        for result in ("built", "cached", "failed"):
            add("fluster_builds_total", builder.builds[result], result)
        for result in ("hit", "miss"):
            add("fluster_image_cache_requests_total", builder.requests[result], result)
            add("fluster_bundle_cache_requests_total", bundles.requests[result], result)
        add("fluster_image_cache_evictions_total", builder.evictions)
        add("fluster_bundle_cache_evictions_total", bundles.evictions)
        add("fluster_cache_bytes", builder.cache_bytes, "images")
        add("fluster_cache_bytes", bundles.cache_bytes, "bundles")


def _file_system(path: Path) -> tuple[int, int] | None:
    """(size, free for this user) in bytes of the file system that `path` is or will be on."""
    while not path.exists() and path != path.parent:
        path = path.parent
    try:
        facts = os.statvfs(path)
    except OSError:
        return None
    return facts.f_blocks * facts.f_frsize, facts.f_bavail * facts.f_frsize
