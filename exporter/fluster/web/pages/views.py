"""What the pages show of a job, in words and numbers: pure functions, so that every sentence stands in a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fluster.job import EndReason, GpuFigures, Job, JobState
from fluster.sizes import format_bytes, format_duration

__all__ = ["Figure", "Phase", "figures", "headline", "memory_cell", "phases", "reason"]

_WORDS: Final = {
    JobState.PENDING: "Waiting for a slot",
    JobState.BUILDING: "Building",
    JobState.RUNNING: "Running",
    JobState.SUCCEEDED: "Succeeded",
    JobState.FAILED: "Failed",
    JobState.KILLED: "Killed",
    JobState.WORKER_FAILED: "Worker failed",
    JobState.UNSCHEDULABLE: "Cannot run here",
}


@dataclass(frozen=True, slots=True)
class Phase:
    """One part of a job's way; `milliseconds` is what it took, or takes so far while `live`."""

    name: str
    began_ms: int | None
    milliseconds: int | None
    live: bool

    @property
    def took(self) -> int:
        return self.milliseconds or 0

    @property
    def text(self) -> str:
        return "–" if self.milliseconds is None else format_duration(self.milliseconds / 1000)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: its value in words, its share of the limit (0 to 1) where there is one, and where it comes from.

    Of a finished job the share is that of its peak: what it used at its very end says nothing.
    """

    key: str
    name: str
    text: str
    share: float | None
    peak_share: float | None
    source: str
    meaning: str


def reason(job: Job) -> str:
    """The end reason in words: "out of memory", "exit 3", "timed out after 1 h"."""
    match job.end_reason:
        case None:
            return "" if job.status_message == job.state.label else job.status_message
        case EndReason.COMPLETED:
            return "completed"
        case EndReason.EXIT_CODE:
            return f"exit {job.exit_code}"
        case EndReason.OOM:
            return "out of memory"
        case EndReason.TIMEOUT:
            return f"timed out after {format_duration(job.request.timeout_seconds or 0)}"
        case EndReason.USER:
            return "killed on request"
        case EndReason.SHUTDOWN:
            return "worker shut down"
        case EndReason.DISK_QUOTA:
            return "disk limit exceeded"
        case EndReason.BUNDLE | EndReason.BUILD | EndReason.START:
            return f"{job.end_reason.value} failed"
        case _:
            return "infrastructure"


def headline(job: Job, now_ns: int) -> str:
    """The outcome in a sentence: "Failed: out of memory after 3 min 12 s; peak 4.0 GiB of 4.0 GiB"."""
    sentence = _WORDS[job.state]
    if not job.state.terminal:
        seconds = job.run_seconds(now_ns)
        return f"{sentence} for {format_duration(seconds)}" if seconds is not None else sentence
    if job.state is not JobState.SUCCEEDED:
        sentence += f": {reason(job)}"
    seconds = job.run_seconds(now_ns)
    if seconds is not None and job.end_reason is not EndReason.TIMEOUT:
        sentence += f" after {format_duration(seconds)}"
    peak, limit = job.figures.memory_peak_bytes, job.request.limits.memory_bytes
    if peak is not None:
        sentence += f"; peak {format_bytes(peak)}" + (f" of {format_bytes(limit)}" if limit else "")
    return sentence


def phases(job: Job, now_ns: int) -> list[Phase]:
    """Queued, building, running; a phase that was never reached has no time."""
    ends = job.finished_ns or now_ns
    build_ends = job.build_finished_ns or job.finished_ns
    found = [("queued", job.submitted_ns, job.build_started_ns or job.finished_ns)]
    found.append(("building", job.build_started_ns or 0, build_ends))
    found.append(("running", job.run_started_ns or 0, job.finished_ns))
    return [
        Phase(
            name,
            began // 1_000_000 if began else None,
            max((end or ends) - began, 0) // 1_000_000 if began else None,
            bool(began) and end is None,
        )
        for name, began, end in found
    ]


def memory_cell(job: Job) -> str:
    """`1.5 of 4.0 GiB, peak 2.1` while it lives, `peak 2.1 of 4.0 GiB` after; one unit where all have the same."""
    seen, limit = job.figures, job.request.limits.memory_bytes
    used, peak = None if job.state.terminal else seen.memory_usage_bytes, seen.memory_peak_bytes
    of = f" of {format_bytes(limit)}" if limit else ""
    unit = of[of.rindex(" ") :] if of else "without"
    if used is None:
        return "–" if peak is None else f"peak {format_bytes(peak).removesuffix(unit)}{of}"
    top = "" if peak is None else f", peak {format_bytes(peak).removesuffix(unit)}"
    return f"{format_bytes(used).removesuffix(unit)}{of}{top}"


def figures(job: Job) -> list[Figure]:
    """The figures of the job page; unknown ones are left out."""
    seen, limits, over = job.figures, job.request.limits, job.state.terminal
    cores_limit = limits.cpu_millicores / 1000 if limits.cpu_millicores else None
    found: list[Figure] = []
    if seen.memory_peak_bytes is not None or seen.memory_usage_bytes is not None:
        found.append(
            Figure(
                "memory", "Memory", memory_cell(job), _share(seen.memory_peak_bytes if over else seen.memory_usage_bytes, limits.memory_bytes),
                _share(seen.memory_peak_bytes, limits.memory_bytes), seen.memory_peak_source or "sampled",
                "Memory charged to the job, page cache included; the peak is the kernel's own high-water mark where it says kernel.",
            )
        )  # fmt: skip
    if seen.cpu_seconds is not None:
        now = "" if over or seen.cpu_cores is None else f"{seen.cpu_cores:.2f} cores, "
        if cores_limit:
            now = now.replace(" cores", f" of {cores_limit:g} cores") or f"at most {cores_limit:g} cores, "
        throttled = f", throttled {format_duration(seen.cpu_throttled_seconds)}" if seen.cpu_throttled_seconds else ""
        found.append(
            Figure(
                "cpu", "CPU", f"{now}{seen.cpu_seconds:.2f} s in all{throttled}",
                _share(seen.cpu_peak_cores if over else seen.cpu_cores, cores_limit), _share(seen.cpu_peak_cores, cores_limit), seen.cpu_source or "sampled",
                "CPU time of all processes of the job, user and system mode together.",
            )
        )  # fmt: skip
    if seen.processes is not None or seen.processes_peak is not None:
        now = "" if over or seen.processes is None else f"{seen.processes}, "
        allowed = f" of {limits.max_processes}" if limits.max_processes else ""
        found.append(
            Figure(
                "processes", "Processes", f"{now}peak {seen.processes_peak}{allowed}", _share(seen.processes_peak if over else seen.processes, limits.max_processes),
                _share(seen.processes_peak, limits.max_processes), seen.processes_peak_source or "sampled",
                "Processes and threads, as the kernel counts them.",
            )
        )  # fmt: skip
    if seen.disk_bytes is not None:
        allowed = f" of {format_bytes(limits.disk_bytes)}" if limits.disk_bytes else ""
        found.append(
            Figure(
                "disk", "Disk", f"{format_bytes(seen.disk_bytes)}{allowed}, peak {format_bytes(seen.disk_peak_bytes or 0)}",
                _share(seen.disk_bytes, limits.disk_bytes), _share(seen.disk_peak_bytes, limits.disk_bytes), "sampled",
                "Disk blocks of the working and the output directory at the last walk.",
            )
        )  # fmt: skip
    if any(_gpu(gpu) for gpu in seen.gpus):
        found.append(
            Figure(
                "gpus", "GPUs", "; ".join(_gpu(gpu) or "–" for gpu in seen.gpus), None, None, "sampled",
                "Share of time in which each GPU was busy, and memory in use on it, whoever uses it.",
            )
        )  # fmt: skip
    return found


def _gpu(gpu: GpuFigures) -> str:
    """`97 % busy, 3.0 GiB, peak 4.0 GiB`; empty where nothing is known."""
    busy, used, peak = gpu.utilization_ratio, gpu.memory_used_bytes, gpu.memory_peak_bytes
    parts = (
        "" if busy is None else f"{busy * 100:.0f} % busy",
        "" if used is None else format_bytes(used),
        "" if peak is None else f"peak {format_bytes(peak)}",
    )
    return ", ".join(part for part in parts if part)


def _share(value: float | None, limit: float | None) -> float | None:
    return None if value is None or not limit else min(value / limit, 1.0)
