from fluster.job import EndReason, JobRequest, JobState, Limits
from fluster.web.pages.row import row
from tests.unit.pages.jobs import GIB, T0, S, job

CPU = {"cpu_user_seconds": 1.0, "cpu_system_seconds": 0.5, "cpu_cores": 0.5, "processes": 3, "processes_peak": 9}


def test_a_live_job_shows_what_it_uses_now_and_since_when():
    live = row(job(figures=CPU, limits=Limits(cpu_millicores=1500)), T0 + 10 * S)
    assert (live.state, live.duration, live.since_ms) == ("running", "7.0 s", (T0 + 3 * S) // 10**6)
    assert (live.cpu, live.processes, live.reason, live.memory) == ("0.50 / 1.5 cores", "3", "", None)


def test_a_job_that_ended_shows_what_it_used_in_all():
    ended = row(
        job(
            JobState.FAILED, figures={**CPU, "memory_peak_bytes": GIB}, end_reason=EndReason.OOM, finished_ns=T0 + 5 * S
        ),
        T0 + 99 * S,
    )
    assert (ended.duration, ended.since_ms, ended.cpu, ended.processes) == ("2.0 s", None, "1.50 s", "9")
    assert (ended.reason, ended.memory.text) == ("out of memory", "1.0 GiB")


def test_a_job_that_waits_counts_from_its_submission():
    waits = job(JobState.PENDING, build_started_ns=None, build_finished_ns=None, run_started_ns=None)
    assert (row(waits, T0 + 5 * S).duration, row(waits, T0).since_ms) == ("5.0 s", T0 // 10**6)


def test_a_job_that_never_ran_has_no_duration():
    failed = job(JobState.FAILED, run_started_ns=None, end_reason=EndReason.BUILD, finished_ns=T0 + 4 * S)
    assert (row(failed, T0).duration, row(failed, T0).cpu, row(failed, T0).processes) == ("–", "–", "–")


def test_a_long_name_is_cut():
    named = row(job(request=JobRequest(name="n" * 256, command=("x",))), T0 + 9 * S)
    assert named.name == "n" * 200 + "…"
