import pytest

from fluster.job import EndReason, JobState, Limits
from fluster.web.pages.outcome import explanation, headline, reason
from tests.unit.pages.jobs import GIB, T0, S, job


def test_the_headline_of_a_job_without_memory_names_its_peak_and_its_limit():
    killed = job(
        JobState.FAILED,
        end_reason=EndReason.OOM,
        finished_ns=T0 + 195 * S,
        figures={"memory_peak_bytes": 4 * GIB},
        limits=Limits(memory_bytes=4 * GIB),
    )
    assert headline(killed, 0) == "Failed: out of memory after 3 min 12 s; peak 4.0 GiB of 4.0 GiB"


@pytest.mark.parametrize(
    ("state", "more", "sentence"),
    [
        (JobState.PENDING, {"build_started_ns": None, "run_started_ns": None}, "Waiting for a slot for 10.0 s"),
        (JobState.BUILDING, {"build_finished_ns": None, "run_started_ns": None}, "Building for 9.0 s"),
        (JobState.RUNNING, {}, "Running for 7.0 s"),
        (JobState.SUCCEEDED, {"end_reason": EndReason.COMPLETED, "exit_code": 0}, "Succeeded after 2.0 s"),
        (JobState.FAILED, {"end_reason": EndReason.EXIT_CODE, "exit_code": 3}, "Failed: exit 3 after 2.0 s"),
        (JobState.FAILED, {"end_reason": EndReason.TIMEOUT, "timeout": 3600.0}, "Failed: timed out after 1 h"),
        (JobState.FAILED, {"end_reason": EndReason.BUILD, "run_started_ns": None}, "Failed: build failed"),
        (JobState.FAILED, {"end_reason": EndReason.DISK_QUOTA}, "Failed: disk limit exceeded after 2.0 s"),
        (JobState.KILLED, {"end_reason": EndReason.USER, "run_started_ns": None}, "Killed on request"),
        (JobState.KILLED, {"end_reason": EndReason.SHUTDOWN}, "Killed: worker shut down after 2.0 s"),
        (JobState.WORKER_FAILED, {"end_reason": EndReason.INFRASTRUCTURE}, "Worker failed: infrastructure after 2.0 s"),
    ],
)
def test_the_headline_says_state_and_reason(state, more, sentence):
    if state.terminal:
        more = {"finished_ns": T0 + 5 * S, **more}
    assert headline(job(state, **more), T0 + 10 * S) == sentence


@pytest.mark.parametrize(
    ("state", "ending", "exit_code", "error", "shown"),
    [
        (JobState.FAILED, EndReason.EXIT_CODE, 3, "ended with exit code 3", False),
        (JobState.FAILED, EndReason.EXIT_CODE, 139, "ended by signal 11 (exit code 139)", True),
        (JobState.KILLED, EndReason.USER, None, "killed on request", False),
        (JobState.KILLED, EndReason.SHUTDOWN, None, "killed because the worker shut down", False),
        (JobState.FAILED, EndReason.TIMEOUT, None, "timed out after 5.0 s", False),
        (JobState.FAILED, EndReason.BUILD, None, "uv pip failed: no such package", True),
        (JobState.FAILED, EndReason.OOM, 137, "out of memory: the kernel killed it at its limit of 4.0 GiB", True),
        (JobState.WORKER_FAILED, EndReason.INFRASTRUCTURE, None, "the engine went away", True),
    ],
)
def test_an_error_that_only_repeats_the_headline_is_left_out(state, ending, exit_code, error, shown):
    ended = job(state, end_reason=ending, exit_code=exit_code, error=error, timeout=5.0, finished_ns=T0 + 5 * S)
    assert explanation(ended) == (error if shown else "")


def test_every_end_reason_has_words():
    for ending in EndReason:
        assert reason(job(JobState.FAILED, end_reason=ending, exit_code=1, timeout=5.0, finished_ns=T0))


def test_a_live_job_says_what_it_does_but_not_its_state_twice():
    assert reason(job(JobState.BUILDING, status_message="building image")) == "building image"
    assert reason(job(JobState.RUNNING, status_message="running")) == ""
