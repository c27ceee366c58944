"""How a job ended, decided from facts alone: pure functions, so that every case stands in a test."""

from __future__ import annotations

from typing import Final, NamedTuple

from fluster.errors import JobError, UnschedulableError
from fluster.job import EndReason, Job, JobState
from fluster.runtime import ExitResult
from fluster.sizes import format_bytes, format_duration

__all__ = ["Verdict", "judge_error", "judge_exit", "judge_request"]


class Verdict(NamedTuple):
    """The terminal state, why, and one sentence for people (empty where the job succeeded)."""

    state: JobState
    reason: EndReason
    error: str


_REQUESTED: Final = {
    EndReason.USER: JobState.KILLED,
    EndReason.SHUTDOWN: JobState.KILLED,
    EndReason.TIMEOUT: JobState.FAILED,
    EndReason.DISK_QUOTA: JobState.FAILED,
}


def judge_exit(job: Job, result: ExitResult, asked: EndReason | None) -> Verdict:
    """The kernel's word for memory comes first, then what was asked for, then the exit code."""
    if result.oom_killed:
        limit = job.request.limits.memory_bytes
        allowed = f" of {format_bytes(limit)}" if limit else ""
        return Verdict(JobState.FAILED, EndReason.OOM, f"out of memory: the kernel killed it at its limit{allowed}")
    if asked is not None:
        return judge_request(job, asked)
    if result.exit_code == 0:
        return Verdict(JobState.SUCCEEDED, EndReason.COMPLETED, "")
    if result.exit_code is None:
        return Verdict(JobState.WORKER_FAILED, EndReason.INFRASTRUCTURE, "the engine lost the exit code")
    return Verdict(JobState.FAILED, EndReason.EXIT_CODE, _exit_sentence(result.exit_code))


def judge_request(job: Job, asked: EndReason) -> Verdict:
    """The verdict on a job that was ended because of `asked`."""
    sentences = {
        EndReason.USER: "killed on request",
        EndReason.SHUTDOWN: "killed because the worker shut down",
        EndReason.TIMEOUT: f"timed out after {format_duration(job.request.timeout_seconds or 0)}",
        EndReason.DISK_QUOTA: f"wrote more than its disk limit of {format_bytes(job.request.limits.disk_bytes or 0)}",
    }
    return Verdict(_REQUESTED[asked], asked, sentences[asked])


def judge_error(error: BaseException) -> Verdict:
    """The verdict on a job whose supervisor met `error`; what is not a JobError is the infrastructure's fault."""
    if isinstance(error, UnschedulableError):
        return Verdict(JobState.UNSCHEDULABLE, EndReason.INFRASTRUCTURE, str(error))
    if isinstance(error, JobError):
        reason = EndReason(error.end_reason)
        state = JobState.WORKER_FAILED if reason is EndReason.INFRASTRUCTURE else JobState.FAILED
        return Verdict(state, reason, str(error))
    if isinstance(error, OSError):
        return Verdict(JobState.WORKER_FAILED, EndReason.INFRASTRUCTURE, f"the worker failed: {error}")
    return Verdict(
        JobState.WORKER_FAILED,
        EndReason.INFRASTRUCTURE,
        f"the worker failed with {type(error).__name__}; its own log has the details",
    )


def _exit_sentence(exit_code: int) -> str:
    if exit_code > 128:
        return f"ended by signal {exit_code - 128} (exit code {exit_code})"
    return f"ended with exit code {exit_code}"
