"""A finished job as an exit code and as a few lines of text: pure functions on the document of GET /api/jobs/{job_id}."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fluster.cli.terminal import printable
from fluster.sizes import format_bytes, format_duration

__all__ = ["exit_code", "reason_in_words", "summary"]


def exit_code(job: dict[str, Any]) -> int:
    """As `docker run` has them: the job's own; 124 timed out, 137 out of memory, 125 where it was never the job's to fail."""
    if job["status"] == "succeeded":
        return 0
    if job["end_reason"] == "timeout":
        return 124
    if job["end_reason"] == "oom":
        return 137
    if job["status"] == "failed" and job["end_reason"] == "exit_code":
        return int(job["exit_code"])
    if job["status"] == "killed":
        return job["exit_code"] or 143
    return 125


def reason_in_words(job: dict[str, Any]) -> str:
    """`succeeded`, `failed: out of memory: ...`, `running`."""
    return (
        f"{job['status'].replace('_', ' ')}: {printable(job['error'])}"
        if job.get("error")
        else job["status"].replace("_", " ")
    )


def summary(job: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(label, text) of what is worth knowing once a job has ended; unknown figures are left out."""
    figures, limits = job["resources"], job["limits"]
    yield "job", f"{job['job_id']} {reason_in_words(job)}"
    phases = [
        (word, later - earlier)
        for word, earlier, later in (
            ("queued", job["submitted_at"], job["started_at"] or job["finished_at"]),
            ("built", job["started_at"], job["build"]["finished_ms"]),
            ("ran", job["run_started_at"], job["finished_at"]),
        )
        if earlier is not None and later is not None
    ]
    yield "time", ", ".join(f"{word} {format_duration(max(milliseconds, 0) / 1000)}" for word, milliseconds in phases)
    if job["build"]["image_tag"]:
        yield "build", f"{job['build']['image_tag']} ({'from cache' if job['build']['from_cache'] else 'built'})"
    if figures["memory_peak_bytes"] is not None:
        limit = f" of {format_bytes(limits['memory_bytes'])}" if limits["memory_bytes"] else ""
        yield "memory", f"peak {format_bytes(figures['memory_peak_bytes'])}{limit} ({figures['memory_peak_source']})"
    if figures["cpu_user_seconds"] is not None and figures["cpu_system_seconds"] is not None:
        user, system = figures["cpu_user_seconds"], figures["cpu_system_seconds"]
        yield "cpu", f"{user + system:.3f} s: user {user:.3f}, system {system:.3f} ({figures['cpu_source']})"
    if figures["processes_peak"] is not None:
        yield "processes", f"peak {figures['processes_peak']} ({figures['processes_peak_source']})"
    for gpu in figures["gpus"] or ():
        if gpu["memory_peak_bytes"] is not None:
            yield "gpu", f"{gpu['uuid']} peak {format_bytes(gpu['memory_peak_bytes'])} (sampled)"
    if figures["oom_kills"]:
        yield "oom kills", str(figures["oom_kills"])
    lines = job["logs"]["lines"]
    yield "log", ", ".join(f"{lines.get(source, 0)} {source}" for source in ("build", "stdout", "stderr")) + " lines"
