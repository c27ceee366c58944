"""The life of a job in sentences of the worker's log."""

import pytest

from fluster.errors import BuildError, InfrastructureError
from fluster.job import Build, EndReason, Figures, Job, JobRequest, JobState
from fluster.supervisor.life import built_sentence, sentence
from fluster.supervisor.verdict import judge_error

SECOND = 10**9
MIB = 1024**2


def accepted(name=""):
    return Job(id="j", request=JobRequest(name=name, command=("x",)), worker_id="w", submitted_ns=SECOND)


@pytest.fixture
def building():
    return accepted().evolve(state=JobState.BUILDING, build_started_ns=3 * SECOND)


@pytest.fixture
def running(building):
    return building.evolve(state=JobState.RUNNING, build_finished_ns=7 * SECOND, run_started_ns=7 * SECOND)


@pytest.mark.parametrize(("name", "shown"), [("", ""), ("j", ""), ("train", " (train)")])
def test_a_job_is_accepted_once(name, shown):
    job = accepted(name)
    assert sentence(None, job) == f"job j accepted{shown}"
    assert sentence(job, job) is None


def test_building_is_told_when_it_is_over(building):
    assert sentence(accepted(), building) is None
    for build, cache in (
        (Build(image_tag="t", from_cache=True), "cache hit"),
        (Build(image_tag="t"), "cache miss"),
        (Build(), "nothing to build"),
    ):
        assert built_sentence(building.evolve(build=build), 7 * SECOND) == f"job j built in 4.0 s, {cache}"


def test_a_start_is_a_line(building, running):
    assert sentence(building, running) == "job j started"


def test_an_end_tells_state_reason_code_times_and_peak(running):
    ended = running.evolve(
        state=JobState.FAILED, end_reason=EndReason.OOM, error="out of memory", exit_code=137, finished_ns=69 * SECOND,
        figures=Figures(memory_peak_bytes=512 * MIB),
    )  # fmt: skip
    assert sentence(running, ended) == (
        "job j ended: failed, reason oom, exit code 137, waited 2.0 s, built 4.0 s, ran 1 min 2 s, memory peak 512 MiB"
    )


def test_what_is_not_known_of_an_end_is_left_out():
    job = accepted()
    ended = job.evolve(state=JobState.KILLED, end_reason=EndReason.USER, error="killed on request", finished_ns=SECOND)
    assert sentence(job, ended) == "job j ended: killed, reason user, waited 0 ms"


def test_only_fluster_s_own_sentences_are_quoted(building):
    for error, quoted in (
        (BuildError("uv pip failed: what a program printed"), False),
        (InfrastructureError("the engine is gone"), True),
    ):
        verdict = judge_error(error)
        ended = building.evolve(
            state=verdict.state, end_reason=verdict.reason, error=verdict.error, finished_ns=9 * SECOND
        )
        assert (str(error) in sentence(building, ended)) is quoted
