import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluster.errors import InvalidArgumentError
from fluster.job import (
    TERMINAL,
    TRANSITIONS,
    Figures,
    GpuFigures,
    Job,
    JobRequest,
    JobState,
    Limits,
    Source,
    check_job_id,
    new_job_id,
)


def job(state=JobState.PENDING, **changes):
    return Job(
        id="a",
        request=JobRequest(name="a", command=("true",)),
        worker_id="w",
        submitted_ns=10**9,
        state=state,
        **changes,
    )


@pytest.mark.parametrize("state", [state for state in JobState if state])
@pytest.mark.parametrize("target", [state for state in JobState if state])
def test_only_the_table_of_transitions_moves_a_job(state, target):
    if target is state or target in TRANSITIONS[state]:
        assert job(state).evolve(state=target).state is target
    else:
        with pytest.raises(ValueError, match="cannot go from"):
            job(state).evolve(state=target)


def test_terminal_states_never_change():
    assert all(not TRANSITIONS[state] for state in TERMINAL)
    assert {state for state in JobState if state.terminal} == TERMINAL


def test_the_numbers_of_the_states_are_fixed():
    assert [state.name for state in sorted(JobState)] == [
        "UNSPECIFIED", "PENDING", "BUILDING", "RUNNING", "SUCCEEDED", "FAILED", "KILLED", "WORKER_FAILED", "UNSCHEDULABLE",
    ]  # fmt: skip


def test_queue_build_and_run_durations_can_be_told_apart():
    ended = job(
        build_started_ns=3 * 10**9, build_finished_ns=7 * 10**9, run_started_ns=8 * 10**9, finished_ns=20 * 10**9
    )
    assert (ended.queue_seconds(0), ended.build_seconds(0), ended.run_seconds(0)) == (2, 4, 12)


def test_a_job_killed_in_the_queue_was_queued_until_then():
    assert job(finished_ns=4 * 10**9).queue_seconds(10**12) == 3
    assert job().build_seconds(10**12) is None


def test_generated_ids_are_valid_and_sort_by_time():
    ids = [new_job_id(at * 1_000_000) for at in range(1_700_000_000_000, 1_700_000_000_000 + 3000, 7)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert all(check_job_id(each) == each for each in ids)


@pytest.mark.parametrize("job_id", ["a", "A.b-c_9", "0" * 128])
def test_good_ids(job_id):
    assert check_job_id(job_id) == job_id


@pytest.mark.parametrize("job_id", ["", ".", "..", "-a", "_a", "a/b", "a b", "ä", "a\n", "0" * 129, "a\x00"])
def test_bad_ids_are_refused_by_name_of_the_field(job_id):
    with pytest.raises(InvalidArgumentError, match="job_id: "):
        check_job_id(job_id)


@given(st.text(max_size=200))
def test_no_accepted_id_can_leave_its_directory(job_id):
    try:
        check_job_id(job_id)
    except InvalidArgumentError:
        return
    assert "/" not in job_id
    assert "\0" not in job_id
    assert job_id not in {".", ".."}


def test_limits_of_the_request_win_over_the_defaults():
    limits = Limits(memory_bytes=5).over(Limits(memory_bytes=9, cpu_millicores=500))
    assert limits == Limits(memory_bytes=5, cpu_millicores=500)


def test_figures_complete_each_other_and_peaks_never_fall():
    earlier = Figures(memory_usage_bytes=7, memory_anon_peak_bytes=90, cpu_peak_cores=2.0, disk_bytes=5)
    later = Figures(memory_usage_bytes=8, memory_anon_peak_bytes=80)
    assert later.over(earlier) == Figures(
        memory_usage_bytes=8, memory_anon_peak_bytes=90, cpu_peak_cores=2.0, disk_bytes=5
    )


def test_a_kernel_peak_replaces_a_sampled_one_and_is_never_replaced_by_it():
    sampled = Figures(memory_peak_bytes=100, memory_peak_source=Source.SAMPLED)
    kernel = Figures(memory_peak_bytes=90, memory_peak_source=Source.KERNEL)
    assert kernel.over(sampled) == kernel
    assert sampled.over(kernel) == kernel


def test_cpu_time_of_samples_never_falls_and_the_kernels_stands():
    def cpu(user, system, source):
        return Figures(cpu_user_seconds=user, cpu_system_seconds=system, cpu_source=source)

    live = cpu(3.0, 0.5, Source.SAMPLED)
    assert cpu(1.0, 1.0, Source.SAMPLED).over(live) == cpu(3.0, 1.0, Source.SAMPLED)
    assert Figures(cpu_source=Source.SAMPLED).over(live) == live
    # Modes that an engine estimates may shift: their sum is exact, and stands.
    assert cpu(2.0, 2.0, Source.SAMPLED).over(live) == cpu(2.0, 2.0, Source.SAMPLED)
    assert cpu(1.0, 0.5, Source.KERNEL).over(live) == cpu(1.0, 0.5, Source.KERNEL)


def test_gpus_complete_each_other_and_their_peaks_never_fall():
    earlier = Figures(gpus=(GpuFigures(uuid="a", memory_peak_bytes=9), GpuFigures(uuid="c", memory_peak_bytes=1)))
    later = Figures(gpus=(GpuFigures(uuid="a", memory_peak_bytes=8, utilization_ratio=0.5), GpuFigures(uuid="b")))
    assert later.over(earlier).gpus == (
        GpuFigures(uuid="a", memory_peak_bytes=9, utilization_ratio=0.5),
        GpuFigures(uuid="b"),
        GpuFigures(uuid="c", memory_peak_bytes=1),
    )
    assert Figures().over(earlier) == earlier.over(Figures()) == earlier


def test_unknown_figures_stay_unknown():
    assert Figures().over(Figures()) == Figures()
    assert Figures(cpu_user_seconds=1.0).cpu_seconds is None
