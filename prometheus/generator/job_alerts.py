"""Alerts about single jobs.

What happened is told from timestamps and counts, for as long as `Thresholds.event`: a job that was exported in one scrape only still alerts,
once, and the alert resolves. It looks back over that time, so a worker that goes away meanwhile does not end and begin the alert again. What happened while
nobody could ask the worker is told when it is seen first.
What lasts is told from series that end with the job, or while the job is in a state.
"""

from __future__ import annotations

from typing import Any, Final

from prometheus.generator.annotations import asked, figure, in_words, job_links, runbook
from prometheus.generator.recording import promql
from prometheus.generator.rule import Alert, Group
from prometheus.generator.thresholds import Thresholds

__all__ = ["job_alerts"]

_JOB: Final = "worker, instance, job_id"
"""Ids are unique on one worker only."""
_FAILURES: Final = {
    "exit_code": "its command ended with an error",
    "timeout": "it ran into its timeout",
    "bundle": "its bundle could not be had",
    "build": "its environment could not be built",
    "start": "it could not be started",
    "disk_quota": "it wrote more than its disk limit",
}
"""What FlusterJobFailed tells about: the job's own fault, but for memory, which has an alert of its own."""
_DROPPED: Final = {
    "disk_full": "the disk was full, and they were never written",
    "retention": "a limit on logs let the oldest go",
}
_WHICH: Final = "Job {{ $labels.name }} on worker {{ $labels.worker }}"


def job_alerts(thresholds: Thresholds) -> Group:
    return Group(
        "fluster-jobs",
        [
            *_ends(thresholds), *_counts(thresholds), *_near_limits(thresholds), *_waits(thresholds), *_idle(thresholds),
        ],
    )  # fmt: skip


def _alert(name: str, query: str, **more: Any) -> Alert:
    return Alert(name=name, query=promql(query), annotations={**runbook(name), **job_links()}, **more)


def _event(query: str, t: Thresholds) -> str:
    """With the name, also of a job that is exported no more. One name for each id: an id that was given again may have had another."""
    return f"""({query}) * on ({_JOB}) group_left (name)
        topk by ({_JOB}) (1, last_over_time(fluster_job_info[{t.event}]))"""


def _live(query: str) -> str:
    """With the name. For series that end with the job."""
    return f"({query}) * on ({_JOB}) group_left (name) fluster_job_info"


def _while(state: str, query: str) -> str:
    """With the name, and only while the job is in that state. For series that stay when the job has ended."""
    return _live(f"""({query}) and on ({_JOB}) fluster_job_state{{state="{state}"}} == 1""")


def _ended(series: str, t: Thresholds) -> str:
    """`series` of jobs whose end is not longer ago than an event is told about, or was not known before."""
    window, finished = t.event, "fluster_job_finished_timestamp_seconds"
    return _event(
        f"""last_over_time({series}[{window}]) == 1 and on ({_JOB}) (
            time() - last_over_time({finished}[{window}]) < {window.seconds}
            or last_over_time({finished}[{window}]) unless last_over_time({finished}[{t.remembered}] offset {window}))""",
        t,
    )


def _grown(counter: str, begun: str, t: Thresholds) -> str:
    """By how much a counter of jobs grew since an event ago, or since it was seen before that.

    Of a job that began since then all counts: its first sample is often not 0. Of an older one that was never seen, only what is seen to grow.
    """
    window = t.event
    return f"""(last_over_time({counter}[{window}]) and on ({_JOB}) time() - last_over_time({begun}[{window}]) < {window.seconds})
        or (last_over_time({counter}[{window}]) - last_over_time({counter}[{t.remembered}] offset {window}))
        or (last_over_time({counter}[{window}]) - min_over_time({counter}[{window}]))"""


def _ends(t: Thresholds) -> list[Alert]:
    limit = figure(t, "fluster_job_memory_limit_bytes", "bytes", without="none of its own")
    peak = figure(t, "fluster_job_memory_peak_bytes", "bytes", without="unknown")
    code = figure(t, "fluster_job_exit_code", "number", without="none")
    kills = asked(
        t,
        "fluster_job_oom_kills_total",
        " The kernel killed {{ . | first | value }} of its processes for memory.",
        above=0,
    )
    return [
        _alert(
            "FlusterJobFailed",
            _ended(f"""fluster_job_end_reason{{reason=~"{"|".join(_FAILURES)}"}}""", t),
            severity="warning",
            summary=f"{_WHICH} failed: {in_words('reason', _FAILURES)}.",
            description=f"Its exit code is {code}.{kills} The last lines of its log say more.",
        ),
        _alert(
            "FlusterJobOutOfMemory", _ended("""fluster_job_end_reason{reason="oom"}""", t), severity="warning",
            summary=f"{_WHICH} was killed for memory.",
            description=f"Its memory limit is {limit}, its peak {peak}. Run again with the same limit it will most likely end the same way.",
        ),
        _alert(
            "FlusterJobWorkerFailed", _ended("""fluster_job_state{state="worker_failed"}""", t), severity="critical",
            summary=f"{_WHICH} was lost to a failure of the infrastructure.",
            description="Not the job failed: its engine, its container, its supervisor process or the disk did. Other jobs of this worker may be next.",
        ),
        _alert(
            "FlusterJobUnschedulable", _ended("""fluster_job_state{state="unschedulable"}""", t), severity="warning",
            summary=f"{_WHICH} asks for more than this worker has.",
            description="It can never run there, however long it waits.",
        ),
    ]  # fmt: skip


def _counts(t: Thresholds) -> list[Alert]:
    kills = _grown("fluster_job_oom_kills_total", "fluster_job_started_timestamp_seconds", t)
    lines = _grown("fluster_job_log_dropped_lines_total", "fluster_job_build_started_timestamp_seconds", t)
    return [
        _alert(
            # The kill of the job itself is counted a moment before its end is known; a job that failed has its alert already.
            "FlusterJobProcessOutOfMemory",
            _event(
                f"""({kills}) > 0
                unless on ({_JOB}) last_over_time(fluster_job_end_reason{{reason!="completed"}}[{t.event}])""",
                t,
            ),
            after=t.process_killed, severity="warning",
            summary=f"{_WHICH} lost processes to its memory limit and was not ended by it.",
            description=f"The kernel killed {{{{ $value }}}} of its processes within {t.event.in_words}. A job that goes on without a child may hang, or "
            "give results that are not whole.",
        ),
        _alert(
            "FlusterJobLogLinesDropped", _event(f"(sum without (source) ({lines})) > 0", t), severity="warning",
            summary=f"{_WHICH} has lines that are not in its log.",
            description=f"{{{{ $value | humanize }}}} lines were dropped within {t.event.in_words}: {in_words('reason', _DROPPED)}.",
        ),
    ]  # fmt: skip


def _near_limits(t: Thresholds) -> list[Alert]:
    memory = figure(t, "fluster_job_memory_limit_bytes", "bytes", without="unknown")
    cores = figure(t, "fluster_job_cpu_limit_cores", "number", without="unknown")
    processes = figure(t, "fluster_job_processes_limit", "number", without="unknown")
    disk = figure(t, "fluster_job_disk_limit_bytes", "bytes", without="unknown")
    timeout = figure(t, "fluster_job_timeout_seconds", "seconds", without="unknown")
    return [
        _alert(
            "FlusterJobMemoryNearLimit", _live(f"job_id:fluster_job_memory_working_set:ratio > {t.memory}"),
            after=t.memory_near_limit, severity="warning",
            summary=f"{_WHICH} is close to its memory limit.",
            description=f"Its working set is {{{{ $value | humanizePercentage }}}} of {memory}. At the limit the kernel kills it.",
        ),
        _alert(
            "FlusterJobCpuThrottled", _while("running", f"job_id:fluster_job_cpu_throttled_periods:ratio_rate5m > {t.throttled}"),
            after=t.cpu_throttled, severity="info",
            summary=f"{_WHICH} is held back by its CPU limit.",
            description=f"It was throttled in {{{{ $value | humanizePercentage }}}} of the periods of the last {t.rate.in_words}; its limit is {cores} cores.",
        ),
        _alert(
            "FlusterJobProcessesNearLimit", _live(f"job_id:fluster_job_processes:ratio > {t.processes}"),
            after=t.processes_near_limit, severity="warning",
            summary=f"{_WHICH} is close to its limit on processes.",
            description=f"It has {{{{ $value | humanizePercentage }}}} of the {processes} processes and threads that it may have. At the limit it cannot start any.",
        ),
        _alert(
            "FlusterJobDiskNearLimit", _while("running", f"job_id:fluster_job_disk:ratio > {t.disk}"),
            after=t.disk_near_limit, severity="warning",
            summary=f"{_WHICH} is close to its disk limit.",
            description=f"It has written {{{{ $value | humanizePercentage }}}} of {disk}. Beyond its limit it is ended.",
        ),
        _alert(
            "FlusterJobNearTimeout",
            _live(
                f"""job_id:fluster_job_timeout_used:ratio > {t.timeout}
                and on ({_JOB}) fluster_job_timeout_seconds >= {t.timeout_worth_telling.seconds}"""
            ),
            severity="warning",
            summary=f"{_WHICH} is close to its timeout.",
            description=f"It has used {{{{ $value | humanizePercentage }}}} of {timeout}. When they are over it is ended.",
        ),
    ]  # fmt: skip


def _waits(t: Thresholds) -> list[Alert]:
    return [
        _alert(
            "FlusterJobPendingTooLong",
            _while("pending", f"(time() - fluster_job_submitted_timestamp_seconds) > {t.pending.seconds}"),
            severity="warning",
            summary=f"{_WHICH} has been waiting for a slot for a long time.",
            description=f"It was submitted {{{{ $value | humanizeDuration }}}} ago; {t.pending.in_words} are expected at most.",
        ),
        _alert(
            "FlusterJobBuildingTooLong",
            _while("building", f"(time() - fluster_job_build_started_timestamp_seconds) > {t.building.seconds}"),
            severity="warning",
            summary=f"{_WHICH} has been building for a long time.",
            description=f"Its build began {{{{ $value | humanizeDuration }}}} ago; {t.building.in_words} are expected at most.",
        ),
    ]  # fmt: skip


def _idle(t: Thresholds) -> list[Alert]:
    stalled, gpu = t.stalled, t.gpu_idle
    return [
        _alert(
            # CPU time by the kernel's count over the whole time, not samples of it. A job that waits for a busy GPU is at work.
            "FlusterJobStalled",
            _while(
                "running",
                f"""(time() - fluster_job_started_timestamp_seconds) > {stalled.seconds}
                unless on ({_JOB}) (time() - fluster_job_last_log_timestamp_seconds) <= {stalled.seconds}
                and on ({_JOB}) sum without (mode) (rate(fluster_job_cpu_seconds_total[{stalled}])) < {t.stalled_cores}
                unless on ({_JOB}) max without (gpu) (avg_over_time(fluster_job_gpu_utilization_ratio[{stalled}])) >= {t.gpu}"""
            ),
            severity="warning",
            summary=f"{_WHICH} neither logs nor computes.",
            description=f"For {stalled.in_words} it has written no line and used less than {t.stalled_cores} cores; it has been running for "
            "{{ $value | humanizeDuration }}.",
        ),
        _alert(
            "FlusterJobGpuIdle",
            _live(
                f"""avg_over_time(fluster_job_gpu_utilization_ratio[{gpu}]) < {t.gpu} and fluster_job_gpu_utilization_ratio
                and on ({_JOB}) (time() - fluster_job_started_timestamp_seconds) > {gpu.seconds}"""
            ),
            severity="info",
            summary=f"{_WHICH} does not use its GPU.",
            description=f"GPU {{{{ $labels.gpu }}}} was busy for {{{{ $value | humanizePercentage }}}} of the last {gpu.in_words}. No other job can have it.",
        ),
    ]  # fmt: skip
