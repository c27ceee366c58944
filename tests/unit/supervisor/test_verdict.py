import pytest

from fluster.errors import (
    BuildError,
    BundleError,
    DiskQuotaError,
    EngineUnavailableError,
    InfrastructureError,
    StartError,
    UnschedulableError,
)
from fluster.job import EndReason, Figures, Job, JobRequest, JobState, Limits, LogCounts
from fluster.runtime import ExitResult
from fluster.supervisor.verdict import judge_error, judge_exit, judge_request

JOB = Job(
    id="a",
    request=JobRequest(
        name="a", command=("true",), timeout_seconds=3600, limits=Limits(memory_bytes=64 * 1024**2, disk_bytes=1024**3)
    ),
    worker_id="w",
    submitted_ns=1,
    state=JobState.RUNNING,
)


def ended(exit_code=0, *, oom_killed=False):
    return ExitResult(exit_code=exit_code, finished_ns=2, oom_killed=oom_killed, figures=Figures(), logs=LogCounts())


@pytest.mark.parametrize(
    ("result", "asked", "state", "reason", "says"),
    [
        (ended(0), None, JobState.SUCCEEDED, EndReason.COMPLETED, ""),
        (ended(3), None, JobState.FAILED, EndReason.EXIT_CODE, "ended with exit code 3"),
        (ended(139), None, JobState.FAILED, EndReason.EXIT_CODE, "ended by signal 11"),
        (ended(137, oom_killed=True), None, JobState.FAILED, EndReason.OOM, "limit of 64.0 MiB"),
        (ended(137, oom_killed=True), EndReason.USER, JobState.FAILED, EndReason.OOM, "out of memory"),
        (ended(137, oom_killed=True), EndReason.TIMEOUT, JobState.FAILED, EndReason.OOM, "out of memory"),
        (ended(143), EndReason.USER, JobState.KILLED, EndReason.USER, "killed on request"),
        (ended(0), EndReason.USER, JobState.KILLED, EndReason.USER, "killed on request"),
        (ended(143), EndReason.SHUTDOWN, JobState.KILLED, EndReason.SHUTDOWN, "worker shut down"),
        (ended(143), EndReason.TIMEOUT, JobState.FAILED, EndReason.TIMEOUT, "timed out after 1 h"),
        (ended(143), EndReason.DISK_QUOTA, JobState.FAILED, EndReason.DISK_QUOTA, "1.0 GiB"),
        (ended(None), None, JobState.WORKER_FAILED, EndReason.INFRASTRUCTURE, "lost the exit code"),
    ],
)
def test_every_exit_has_one_verdict(result, asked, state, reason, says):
    verdict = judge_exit(JOB, result, asked)
    assert (verdict.state, verdict.reason) == (state, reason)
    assert says in verdict.error
    assert bool(verdict.error) == (state is not JobState.SUCCEEDED)


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (BundleError("b"), JobState.FAILED, EndReason.BUNDLE),
        (BuildError("b"), JobState.FAILED, EndReason.BUILD),
        (StartError("s"), JobState.FAILED, EndReason.START),
        (DiskQuotaError("d"), JobState.FAILED, EndReason.DISK_QUOTA),
        (InfrastructureError("i"), JobState.WORKER_FAILED, EndReason.INFRASTRUCTURE),
        (EngineUnavailableError("i"), JobState.WORKER_FAILED, EndReason.INFRASTRUCTURE),
        (UnschedulableError("u"), JobState.UNSCHEDULABLE, EndReason.INFRASTRUCTURE),
        (OSError(28, "No space left on device"), JobState.WORKER_FAILED, EndReason.INFRASTRUCTURE),
        (KeyError("x"), JobState.WORKER_FAILED, EndReason.INFRASTRUCTURE),
    ],
)
def test_every_error_has_one_verdict(error, state, reason):
    verdict = judge_error(error)
    assert (verdict.state, verdict.reason) == (state, reason)
    assert verdict.error
    assert "Traceback" not in verdict.error


def test_a_job_ended_before_it_ran_has_the_verdict_of_the_request():
    assert judge_request(JOB, EndReason.USER).state is JobState.KILLED
