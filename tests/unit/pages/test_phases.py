import pytest

from fluster.job import EndReason, JobState
from fluster.web.pages.phases import Phase, phases, pieces
from tests.unit.pages.jobs import T0, S, job


def test_phases_of_a_job_that_runs():
    queued, building, running = phases(job(), T0 + 10 * S)
    assert (queued.milliseconds, building.milliseconds, running.milliseconds) == (1000, 2000, 7000)
    assert (queued.live, building.live, running.live) == (False, False, True)
    assert running.began_ms == (T0 + 3 * S) // 10**6
    assert running.text == "7.0 s"


def test_a_phase_that_never_came_has_no_time():
    killed = job(
        JobState.KILLED,
        build_started_ns=None,
        build_finished_ns=None,
        run_started_ns=None,
        finished_ns=T0 + 2 * S,
        end_reason=EndReason.USER,
    )
    queued, building, running = phases(killed, T0 + 10 * S)
    assert queued.milliseconds == 2000
    assert not queued.live
    for phase in (building, running):
        assert (phase.began_ms, phase.milliseconds, phase.text) == (None, None, "–")


def test_a_build_that_failed_ends_its_phase():
    failed = job(
        JobState.FAILED, build_finished_ns=None, run_started_ns=None, finished_ns=T0 + 4 * S, end_reason=EndReason.BUILD
    )
    assert phases(failed, T0 + 100 * S)[1] == Phase("building", (T0 + S) // 10**6, 3000, live=False)


@pytest.mark.parametrize("run_ns", [1, S, 3600 * S])
def test_no_phase_vanishes_from_the_bar_and_the_pieces_fill_it(run_ns):
    ended = job(JobState.SUCCEEDED, finished_ns=T0 + 3 * S + run_ns)
    bar = pieces(phases(ended, 0))
    assert [piece.name for piece in bar] == ["queued", "building", "running"]
    assert all(piece.width >= 2 for piece in bar)
    assert sum(piece.width for piece in bar) == pytest.approx(100, abs=0.2)
    assert bar[1].at == pytest.approx(bar[0].width, abs=0.2)


def test_the_bar_holds_only_phases_that_were_reached():
    waiting = job(JobState.PENDING, build_started_ns=None, build_finished_ns=None, run_started_ns=None)
    assert [(piece.name, piece.at, piece.width) for piece in pieces(phases(waiting, T0))] == [("queued", 0.0, 2.0)]
    assert pieces(phases(waiting, T0 + S))[0].width == 100
