"""Jobs and log entries as JSON documents: the shapes that scripts, pages and the command line rely on. Pure."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

from fluster.cri import format_time
from fluster.job import Figures, Job, JobState, Sample
from fluster.logs import LogEntry
from fluster.masking import masked_command, masked_text

__all__ = ["entry_document", "figures_document", "job_document", "job_row", "stats_document"]

_MIB = 1024 * 1024


def job_row(job: Job) -> dict[str, Any]:
    """One element of GET /api/jobs. Times are milliseconds since the epoch or null."""
    figures, build = job.figures, job.build
    return {
        **_identity(job),
        "memory_mb": _mib(figures.memory_usage_bytes),
        "memory_peak_mb": _mib(figures.memory_peak_bytes),
        "cpu_percent": None if figures.cpu_cores is None else round(figures.cpu_cores * 100),
        "process_count": figures.processes,
        "disk_mb": _mib(figures.disk_bytes),
        "build_from_cache": build.from_cache if build else None,
        "build_image_tag": build.image_tag if build else None,
        "figures": figures_document(figures),
        "limits": _limits(job),
    }


def job_document(job: Job, samples: Sequence[Sample] = ()) -> dict[str, Any]:
    """GET /api/jobs/{job_id}: everything that is known of a job but values of its environment.

    Its command, its packages and the addresses are there to be looked at: what looks like a credential in them is masked.
    """
    figures, build, request = job.figures, job.build, job.request
    wanted = request.environment
    command, packages, base_image, bundle = _masked(
        request.command, wanted.pip_packages, wanted.base_image, request.bundle
    )
    started, finished = _ms(job.build_started_ns), _ms(job.build_finished_ns)
    return {
        **_identity(job),
        "resources": {
            "memory_mb": _mib(figures.memory_usage_bytes),
            "memory_peak_mb": _mib(figures.memory_peak_bytes),
            "cpu_percent": None if figures.cpu_cores is None else round(figures.cpu_cores * 100),
            "disk_mb": _mib(figures.disk_bytes),
            "process_count": figures.processes,
            **figures_document(figures),
        },
        "build": {
            "started_ms": started,
            "finished_ms": finished,
            "duration_ms": None if started is None or finished is None else finished - started,
            "from_cache": build.from_cache if build else None,
            "image_tag": build.image_tag if build else None,
            "bundle_sha256": (build.bundle_sha256 if build else "") or request.bundle_sha256,
        },
        "limits": _limits(job),
        "command": list(command),
        "call": request.entrypoint is not None,
        "environment": {
            "names": sorted(wanted.env_vars),
            "extras": list(wanted.extras),
            "pip_packages": list(packages),
            "python_version": wanted.python_version,
            "base_image": base_image,
        },
        "bundle": bundle,
        "logs": {
            "lines": dict(job.logs.lines),
            "bytes": dict(job.logs.bytes),
            "lost": dict(job.logs.lost),
            "retired": dict(job.logs.retired),
            "dropped_lines": job.logs.dropped_lines,
            "last_at": _ms(job.logs.last_timestamp_ns or None),
        },
        "samples": [
            {
                "timestamp": sample.timestamp_ms,
                "memory_bytes": sample.memory_bytes,
                "cpu_cores": sample.cpu_cores,
                "processes": sample.processes,
                "disk_bytes": sample.disk_bytes,
            }
            for sample in samples
        ],
    }


def figures_document(figures: Figures) -> dict[str, Any]:
    """Exact figures in bytes, seconds and counts; null is unknown. Sources are "kernel" or "sampled"."""
    return {
        "memory_usage_bytes": figures.memory_usage_bytes,
        "memory_working_set_bytes": figures.memory_working_set_bytes,
        "memory_anon_bytes": figures.memory_anon_bytes,
        "memory_cache_bytes": figures.memory_cache_bytes,
        "memory_peak_bytes": figures.memory_peak_bytes,
        "memory_peak_source": figures.memory_peak_source,
        "memory_working_set_peak_bytes": figures.memory_working_set_peak_bytes,
        "memory_anon_peak_bytes": figures.memory_anon_peak_bytes,
        "memory_limit_hits": figures.memory_limit_hits,
        "oom_kills": figures.oom_kills,
        "cpu_user_seconds": figures.cpu_user_seconds,
        "cpu_system_seconds": figures.cpu_system_seconds,
        "cpu_source": figures.cpu_source,
        "cpu_cores": figures.cpu_cores,
        "cpu_peak_cores": figures.cpu_peak_cores,
        "cpu_periods": figures.cpu_periods,
        "cpu_throttled_periods": figures.cpu_throttled_periods,
        "cpu_throttled_seconds": figures.cpu_throttled_seconds,
        "processes": figures.processes,
        "processes_peak": figures.processes_peak,
        "processes_peak_source": figures.processes_peak_source,
        "block_read_bytes": figures.block_read_bytes,
        "block_written_bytes": figures.block_written_bytes,
        "network_receive_bytes": figures.network_receive_bytes,
        "network_transmit_bytes": figures.network_transmit_bytes,
        "disk_bytes": figures.disk_bytes,
        "disk_peak_bytes": figures.disk_peak_bytes,
        "pressure_cpu_seconds": figures.pressure_cpu_seconds,
        "pressure_memory_seconds": figures.pressure_memory_seconds,
        "pressure_io_seconds": figures.pressure_io_seconds,
        "gpus": [dataclasses.asdict(gpu) for gpu in figures.gpus],
        "sampled_at": _ms(figures.sampled_at_ns or None),
    }


def entry_document(entry: LogEntry) -> dict[str, Any]:
    """One log entry; bytes that are no UTF-8 are shown as replacement marks."""
    return {
        "timestamp": entry.timestamp_ns // 1_000_000,
        "timestamp_ns": str(entry.timestamp_ns),
        "time": format_time(entry.timestamp_ns),
        "source": entry.source,
        "data": entry.data.decode("utf-8", "replace"),
        "sequence": entry.sequence,
        "truncated": entry.truncated,
        "dropped": entry.dropped,
        "cursor": entry.cursor,
    }


def stats_document(counts: dict[JobState, int]) -> dict[str, int]:
    """GET /api/stats: how many jobs are in each state, and how many ended in any way."""
    return {
        **{state.label: count for state, count in counts.items()},
        "completed": sum(count for state, count in counts.items() if state.terminal),
    }


def _identity(job: Job) -> dict[str, Any]:
    return {
        "job_id": job.id,
        "name": job.name,
        "status": job.state.label,
        "status_message": job.status_message,
        "end_reason": job.end_reason,
        "exit_code": job.exit_code,
        "error": job.error or None,
        "submitted_at": _ms(job.submitted_ns),
        "started_at": _ms(job.build_started_ns),
        "run_started_at": _ms(job.run_started_ns),
        "finished_at": _ms(job.finished_ns),
        "ports": dict(job.ports),
        "gpus": list(job.gpus),
        "worker_id": job.worker_id,
    }


@functools.lru_cache(maxsize=64)
def _masked(
    command: tuple[str, ...], packages: tuple[str, ...], base_image: str | None, bundle: str | None
) -> tuple[tuple[str, ...], tuple[str, ...], str | None, str | None]:
    """Whoever waits for a job asks again and again, and patterns cost a millisecond for each KiB."""
    return (
        tuple(masked_command(command)),
        tuple(map(masked_text, packages)),
        base_image and masked_text(base_image),
        bundle and masked_text(bundle),
    )


def _limits(job: Job) -> dict[str, Any]:
    limits = job.request.limits
    return {
        "cpu_cores": None if limits.cpu_millicores is None else limits.cpu_millicores / 1000,
        "memory_bytes": limits.memory_bytes,
        "processes": limits.max_processes,
        "disk_bytes": limits.disk_bytes,
        "gpus": limits.gpus,
        "timeout_seconds": job.request.timeout_seconds,
    }


def _ms(nanoseconds: int | None) -> int | None:
    return None if nanoseconds is None else nanoseconds // 1_000_000


def _mib(size: int | None) -> int | None:
    return None if size is None else round(size / _MIB)
