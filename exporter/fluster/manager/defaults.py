"""What a request gets that does not say otherwise: the worker's settings."""

from __future__ import annotations

from fluster.config import Settings
from fluster.job import JobRequest, Limits

__all__ = ["with_defaults"]


def with_defaults(request: JobRequest, settings: Settings) -> JobRequest:
    return request.evolve(
        limits=request.limits.over(
            Limits(
                cpu_millicores=_millicores(settings.default_cpus),
                memory_bytes=settings.default_memory,
                max_processes=settings.default_pids,
                disk_bytes=settings.default_disk,
            )
        ),
        build_limits=request.build_limits.over(
            Limits(cpu_millicores=_millicores(settings.build_cpus), memory_bytes=settings.build_memory)
        ),
        timeout_seconds=request.timeout_seconds or settings.default_timeout,
    )


def _millicores(cores: float | None) -> int | None:
    return None if cores is None else max(round(cores * 1000), 1)
