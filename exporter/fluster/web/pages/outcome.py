"""How a job stands or ended, in a sentence: pure functions, so that every sentence stands in a test."""

from __future__ import annotations

from typing import Final

from fluster.job import EndReason, Job, JobState
from fluster.sizes import format_bytes, format_duration
from fluster.web.pages.phases import since_ns

__all__ = ["explanation", "headline", "lead", "reason"]

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


def lead(job: Job) -> str:
    """The state as the beginning of a sentence: "Waiting for a slot"."""
    return _WORDS[job.state]


def reason(job: Job) -> str:
    """The end reason in words: "out of memory", "exit 3", "timed out after 1 h"; of a live job what it is doing."""
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
    sentence = lead(job)
    since = since_ns(job)
    if not job.state.terminal:
        return sentence if since is None else f"{sentence} for {format_duration(max(now_ns - since, 0) / 1e9)}"
    if job.state not in {JobState.SUCCEEDED, JobState.UNSCHEDULABLE}:
        # "Killed on request", not "Killed: killed on request".
        why = reason(job)
        start, _, rest = why.partition(" ")
        sentence = f"{sentence} {rest}" if start == sentence.casefold() else f"{sentence}: {why}"
    seconds = job.run_seconds(now_ns)
    if seconds is not None and job.end_reason is not EndReason.TIMEOUT:
        sentence += f" after {format_duration(seconds)}"
    peak, limit = job.figures.memory_peak_bytes, job.request.limits.memory_bytes
    if peak is not None:
        sentence += f"; peak {format_bytes(peak)}" + (f" of {format_bytes(limit)}" if limit else "")
    return sentence


def explanation(job: Job) -> str:
    """The job's error, where it says more than the headline does."""
    repeated = {EndReason.USER, EndReason.SHUTDOWN, EndReason.TIMEOUT}
    # A signal is told by name nowhere else.
    plain = job.end_reason is EndReason.EXIT_CODE and (job.exit_code or 0) <= 128
    return "" if plain or job.end_reason in repeated else job.error
