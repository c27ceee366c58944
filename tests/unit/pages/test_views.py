import pytest

from fluster.job import EndReason, Figures, GpuFigures, Job, JobRequest, JobState, Limits, Source
from fluster.web.pages import views

GIB = 1024**3
S = 10**9
T0 = 1_763_900_000 * S


def job(state=JobState.RUNNING, *, figures=None, limits=None, timeout=None, **more):
    times = {"build_started_ns": T0 + S, "build_finished_ns": T0 + 3 * S, "run_started_ns": T0 + 3 * S}
    request = JobRequest(name="train", command=("true",), limits=limits or Limits(), timeout_seconds=timeout)
    values = {"figures": Figures(**(figures or {})), **times, **more}
    return Job(id="j1", request=request, worker_id="w", submitted_ns=T0, state=state, **values)


def test_the_headline_of_a_job_without_memory_names_its_peak_and_its_limit():
    killed = job(
        JobState.FAILED,
        end_reason=EndReason.OOM,
        finished_ns=T0 + 195 * S,
        figures={"memory_peak_bytes": 4 * GIB},
        limits=Limits(memory_bytes=4 * GIB),
    )
    assert views.headline(killed, 0) == "Failed: out of memory after 3 min 12 s; peak 4.0 GiB of 4.0 GiB"


@pytest.mark.parametrize(
    ("state", "more", "sentence"),
    [
        (JobState.PENDING, {"build_started_ns": None, "run_started_ns": None}, "Waiting for a slot"),
        (JobState.BUILDING, {"build_finished_ns": None, "run_started_ns": None}, "Building"),
        (JobState.RUNNING, {}, "Running for 7.0 s"),
        (JobState.SUCCEEDED, {"end_reason": EndReason.COMPLETED, "exit_code": 0}, "Succeeded after 2.0 s"),
        (JobState.FAILED, {"end_reason": EndReason.EXIT_CODE, "exit_code": 3}, "Failed: exit 3 after 2.0 s"),
        (JobState.FAILED, {"end_reason": EndReason.TIMEOUT, "timeout": 3600.0}, "Failed: timed out after 1 h"),
        (JobState.FAILED, {"end_reason": EndReason.BUILD, "run_started_ns": None}, "Failed: build failed"),
        (JobState.FAILED, {"end_reason": EndReason.DISK_QUOTA}, "Failed: disk limit exceeded after 2.0 s"),
        (JobState.KILLED, {"end_reason": EndReason.USER, "run_started_ns": None}, "Killed: killed on request"),
        (JobState.KILLED, {"end_reason": EndReason.SHUTDOWN}, "Killed: worker shut down after 2.0 s"),
        (JobState.WORKER_FAILED, {"end_reason": EndReason.INFRASTRUCTURE}, "Worker failed: infrastructure after 2.0 s"),
    ],
)
def test_the_headline_says_state_and_reason(state, more, sentence):
    if state.terminal:
        more = {"finished_ns": T0 + 5 * S, **more}
    assert views.headline(job(state, **more), T0 + 10 * S) == sentence


def test_every_end_reason_has_words():
    for reason in EndReason:
        assert views.reason(job(JobState.FAILED, end_reason=reason, exit_code=1, timeout=5.0, finished_ns=T0))


def test_a_live_job_says_what_it_does_but_not_its_state_twice():
    assert views.reason(job(JobState.BUILDING, status_message="building image")) == "building image"
    assert views.reason(job(JobState.RUNNING, status_message="running")) == ""


def test_phases_of_a_job_that_runs():
    queued, building, running = views.phases(job(), T0 + 10 * S)
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
    queued, building, running = views.phases(killed, T0 + 10 * S)
    assert queued.milliseconds == 2000
    assert not queued.live
    for phase in (building, running):
        assert (phase.began_ms, phase.milliseconds, phase.text, phase.took) == (None, None, "–", 0)


def test_a_build_that_failed_ends_its_phase():
    failed = job(
        JobState.FAILED, build_finished_ns=None, run_started_ns=None, finished_ns=T0 + 4 * S, end_reason=EndReason.BUILD
    )
    assert views.phases(failed, T0 + 100 * S)[1] == views.Phase("building", (T0 + S) // 10**6, 3000, live=False)


@pytest.mark.parametrize(
    ("state", "figures", "limit", "cell"),
    [
        (JobState.RUNNING, {}, GIB, "–"),
        (JobState.RUNNING, {"memory_usage_bytes": GIB, "memory_peak_bytes": 2 * GIB}, 4 * GIB, "1.0 of 4.0 GiB, peak 2.0"),
        (JobState.RUNNING, {"memory_usage_bytes": 1024, "memory_peak_bytes": 2 * GIB}, 4 * GIB, "1.0 KiB of 4.0 GiB, peak 2.0"),
        (JobState.RUNNING, {"memory_usage_bytes": GIB, "memory_peak_bytes": 2 * GIB}, None, "1.0 GiB, peak 2.0 GiB"),
        (JobState.RUNNING, {"memory_usage_bytes": GIB}, 4 * GIB, "1.0 of 4.0 GiB"),
        (JobState.FAILED, {"memory_usage_bytes": GIB, "memory_peak_bytes": 4 * GIB}, 4 * GIB, "peak 4.0 of 4.0 GiB"),
        (JobState.FAILED, {"memory_usage_bytes": GIB}, 4 * GIB, "–"),
    ],
)  # fmt: skip
def test_the_memory_cell(state, figures, limit, cell):
    assert views.memory_cell(job(state, figures=figures, limits=Limits(memory_bytes=limit))) == cell


def test_unknown_figures_are_left_out_and_not_zero():
    assert views.figures(job()) == []


def test_figures_have_their_share_and_their_source():
    seen = {
        "memory_usage_bytes": GIB, "memory_peak_bytes": 3 * GIB, "memory_peak_source": Source.KERNEL,
        "cpu_user_seconds": 1.0, "cpu_system_seconds": 0.5, "cpu_cores": 0.75, "cpu_peak_cores": 1.5, "cpu_source": Source.SAMPLED,
        "processes": 2, "processes_peak": 4, "processes_peak_source": Source.KERNEL,
        "disk_bytes": 10 * GIB, "disk_peak_bytes": 20 * GIB,
    }  # fmt: skip
    limits = Limits(memory_bytes=4 * GIB, cpu_millicores=1500, max_processes=8, disk_bytes=10 * GIB)
    live = {figure.key: figure for figure in views.figures(job(figures=seen, limits=limits))}
    assert (live["memory"].share, live["memory"].peak_share, live["memory"].source) == (0.25, 0.75, "kernel")
    assert (live["cpu"].share, live["cpu"].peak_share, live["cpu"].source) == (0.5, 1.0, "sampled")
    assert live["cpu"].text == "0.75 of 1.5 cores, 1.50 s in all"
    assert (live["processes"].text, live["processes"].share) == ("2, peak 4 of 8", 0.25)
    assert live["disk"].peak_share == 1.0  # never more than full

    ended = job(JobState.SUCCEEDED, figures=seen, limits=limits, end_reason=EndReason.COMPLETED, finished_ns=T0 + 9 * S)
    final = {figure.key: figure for figure in views.figures(ended)}
    assert final["memory"].share == final["memory"].peak_share == 0.75
    assert final["cpu"].text == "at most 1.5 cores, 1.50 s in all"
    assert final["processes"].text == "peak 4 of 8"


def test_processes_that_are_known_by_their_peak_only_show_no_none():
    (processes,) = views.figures(job(figures={"processes_peak": 4}))
    assert processes.text == "peak 4"


def test_each_gpu_has_its_figures_and_one_that_is_finished_its_peak():
    known = GpuFigures(uuid="a", utilization_ratio=0.974, memory_used_bytes=GIB, memory_peak_bytes=2 * GIB)
    live = views.figures(job(figures={"gpus": (known, GpuFigures(uuid="b"))}))
    assert [(figure.name, figure.text, figure.source) for figure in live] == [
        ("GPUs", "97 % busy, 1.0 GiB, peak 2.0 GiB; –", "sampled")
    ]
    ended = views.figures(job(figures={"gpus": (GpuFigures(uuid="a", memory_peak_bytes=2 * GIB),)}))
    assert [figure.text for figure in ended] == ["peak 2.0 GiB"]
    assert views.figures(job(figures={"gpus": (GpuFigures(uuid="b"),)})) == []
