"""The families of single jobs: one table says what each series shows, and is rendered column by column.

With a thousand jobs that is where nearly all of a scrape's samples are: for each series the values of all jobs are taken and
written in one comprehension, without an object per sample. Job ids need no escaping, other texts do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple

from fluster.catalogue import CATALOGUE, Metric
from fluster.collectors.text import escape
from fluster.job import EndReason, Job, JobState, Source

__all__ = ["JOB_FAMILIES", "JobFamily", "LabelledJobFamily"]

_STATES: Final = tuple(state for state in JobState if state)
_SOURCES: Final = ("build", "stdout", "stderr")
_DROPPED: Final = {"disk_full": "lost", "retention": "retired"}
"""Why lines are not in a log, and which of its counts says so."""
Value = Callable[[Job], Any]
"""A finite int or float, or None where it is unknown: then there is no sample."""


class Series(NamedTuple):
    """One series of each job."""

    value: Value
    labels: tuple[str, ...] = ()
    """Values of the labels after job_id, the same for all jobs."""


class JobFamily:
    """One family with `job_id` as its first label. `live`: it says what a job uses now, and ends with the job."""

    def __init__(self, name: str, *series: Series, live: bool = False) -> None:
        self.metric: Metric = CATALOGUE[name]
        self.live = live
        self.series = series
        self._columns = [(each, self._around(each.labels)) for each in series]

    def lines(self, jobs: Sequence[Job], ids: Sequence[str]) -> list[str]:
        """All sample lines; `ids` are those of `jobs`."""
        lines: list[str] = []
        for series, (before, after) in self._columns:
            lines += [
                f"{before}{job_id}{after}{value!r}\n"  # repr: a format costs floats a fifth more
                for job_id, value in zip(ids, map(series.value, jobs), strict=True)
                if value is not None
            ]
        return lines

    def _around(self, values: tuple[str, ...]) -> tuple[str, str]:
        """What stands before the job id, and between it and the number."""
        more = "".join(
            f',{label}="{escape(value)}"' for label, value in zip(self.metric.labels[1:], values, strict=True)
        )
        return f'{self.metric.name}{{job_id="', f'"{more}}} '


class LabelledJobFamily(JobFamily):
    """A family with labels whose values differ from job to job."""

    def __init__(
        self, name: str, rows: Callable[[Job], Iterable[tuple[tuple[str, ...], Any]]], *, live: bool = False
    ) -> None:
        super().__init__(name, live=live)
        self.rows = rows
        self._line = name + "{" + ",".join(f'{label}="%s"' for label in self.metric.labels) + "} %r\n"

    def lines(self, jobs: Sequence[Job], ids: Sequence[str]) -> list[str]:
        return [
            self._line % (job_id, *map(escape, labels), value)
            for job_id, job in zip(ids, jobs, strict=True)
            for labels, value in self.rows(job)
            if value is not None
        ]


class StateFamily(JobFamily):
    """A series for each state, one of them 1: a sixth of all samples tell one thing of a job, and are written in one go."""

    def __init__(self) -> None:
        super().__init__("fluster_job_state", *(Series(_is(state), (state.label,)) for state in _STATES))
        around = {state: self._around((state.label,)) for state in _STATES}
        self._lines = {
            state: "".join(f"{before}\0{after}{int(each is state)}\n" for each, (before, after) in around.items())
            for state in _STATES
        }

    def lines(self, jobs: Sequence[Job], ids: Sequence[str]) -> list[str]:
        return [self._lines[job.state].replace("\0", job_id) for job_id, job in zip(ids, jobs, strict=True)]


def _one(name: str, value: str | Value, *, live: bool = False) -> JobFamily:
    """A family with one series a job; a string names an attribute of Job."""
    return JobFamily(f"fluster_job_{name}", Series(attrgetter(value) if isinstance(value, str) else value), live=live)


def _by_label(name: str, values: dict[str, Value]) -> JobFamily:
    return JobFamily(f"fluster_job_{name}", *(Series(value, (label,)) for label, value in values.items()))


def _seconds(attribute: str) -> Value:
    """Nanoseconds since the epoch as seconds, to the millisecond as Prometheus keeps time; 0 is a moment that has not come."""
    get = attrgetter(attribute)
    return lambda job: nanoseconds // 1_000_000 / 1000 if (nanoseconds := get(job)) else None


def _by_source(name: str, attribute: str, source: str) -> JobFamily:
    get, told = attrgetter(f"figures.{attribute}"), attrgetter(f"figures.{source}")
    return _by_label(
        name,
        {
            "kernel": lambda job: get(job) if told(job) is Source.KERNEL else None,
            "sampled": lambda job: get(job) if told(job) is not Source.KERNEL else None,
        },
    )


def _sampled(name: str, attribute: str) -> JobFamily:
    return _by_label(name, {"sampled": attrgetter(f"figures.{attribute}")})


def _is(state: JobState) -> Value:
    return lambda job: 1 if job.state is state else 0


def _oom_killed(job: Job) -> int | None:
    return (1 if job.end_reason is EndReason.OOM else 0) if job.state.terminal else None


def _cpu_limit(job: Job) -> float | None:
    millicores = job.request.limits.cpu_millicores
    return millicores / 1000 if millicores else None


def _logged(what: str, source: str) -> Value:
    counts = attrgetter(f"logs.{what}")
    return lambda job: None if job.state is JobState.PENDING else counts(job).get(source, 0)


def _info(job: Job) -> Iterator[tuple[tuple[str, ...], int]]:
    build = job.build
    image = (build.image_tag if build else "") or job.request.environment.base_image or ""
    from_cache = "" if build is None else str(build.from_cache).lower()
    yield (job.name, image, build.bundle_sha256[:12] if build else "", from_cache), 1


def _end_reason(job: Job) -> Iterable[tuple[tuple[str, ...], int]]:
    return [((job.end_reason.value,), 1)] if job.end_reason else ()


def _gpus(attribute: str) -> Callable[[Job], Iterable[tuple[tuple[str, ...], Any]]]:
    def rows(job: Job) -> Iterable[tuple[tuple[str, ...], Any]]:
        gpus = job.figures.gpus
        return [((gpu.uuid,), getattr(gpu, attribute)) for gpu in gpus] if gpus else ()

    return rows


JOB_FAMILIES: Final = (
    LabelledJobFamily("fluster_job_info", _info),
    StateFamily(),
    _one("submitted_timestamp_seconds", _seconds("submitted_ns")),
    _one("build_started_timestamp_seconds", _seconds("build_started_ns")),
    _one("started_timestamp_seconds", _seconds("run_started_ns")),
    _one("finished_timestamp_seconds", _seconds("finished_ns")),
    _one("exit_code", "exit_code"),
    LabelledJobFamily("fluster_job_end_reason", _end_reason),
    _one("oom_killed", _oom_killed),
    _one("timeout_seconds", "request.timeout_seconds"),
    _one("memory_usage_bytes", "figures.memory_usage_bytes", live=True),
    _one("memory_working_set_bytes", "figures.memory_working_set_bytes", live=True),
    _one("memory_anon_bytes", "figures.memory_anon_bytes", live=True),
    _one("memory_cache_bytes", "figures.memory_cache_bytes", live=True),
    _one("memory_limit_bytes", "request.limits.memory_bytes"),
    _by_source("memory_peak_bytes", "memory_peak_bytes", "memory_peak_source"),
    _sampled("memory_working_set_peak_bytes", "memory_working_set_peak_bytes"),
    _sampled("memory_anon_peak_bytes", "memory_anon_peak_bytes"),
    _one("memory_limit_hits_total", "figures.memory_limit_hits"),
    _one("oom_kills_total", "figures.oom_kills"),
    _by_label(
        "cpu_seconds_total",
        {"user": attrgetter("figures.cpu_user_seconds"), "system": attrgetter("figures.cpu_system_seconds")},
    ),
    _one("cpu_cores", "figures.cpu_cores", live=True),
    _one("cpu_peak_cores", "figures.cpu_peak_cores"),
    _one("cpu_limit_cores", _cpu_limit),
    _one("cpu_periods_total", "figures.cpu_periods"),
    _one("cpu_throttled_periods_total", "figures.cpu_throttled_periods"),
    _one("cpu_throttled_seconds_total", "figures.cpu_throttled_seconds"),
    _by_label(
        "pressure_seconds_total",
        {each: attrgetter(f"figures.pressure_{each}_seconds") for each in ("cpu", "memory", "io")},
    ),
    _one("processes", "figures.processes", live=True),
    _one("processes_peak", "figures.processes_peak"),
    _one("processes_limit", "request.limits.max_processes"),
    _one("disk_bytes", "figures.disk_bytes"),
    _one("disk_peak_bytes", "figures.disk_peak_bytes"),
    _one("disk_limit_bytes", "request.limits.disk_bytes"),
    _one("network_receive_bytes_total", "figures.network_receive_bytes"),
    _one("network_transmit_bytes_total", "figures.network_transmit_bytes"),
    _one("block_read_bytes_total", "figures.block_read_bytes"),
    _one("block_written_bytes_total", "figures.block_written_bytes"),
    LabelledJobFamily("fluster_job_gpu_utilization_ratio", _gpus("utilization_ratio"), live=True),
    LabelledJobFamily("fluster_job_gpu_memory_used_bytes", _gpus("memory_used_bytes"), live=True),
    LabelledJobFamily("fluster_job_gpu_memory_peak_bytes", _gpus("memory_peak_bytes")),
    _by_label("log_lines_total", {source: _logged("lines", source) for source in _SOURCES}),
    _by_label("log_bytes_total", {source: _logged("bytes", source) for source in _SOURCES}),
    JobFamily(
        "fluster_job_log_dropped_lines_total",
        *(Series(_logged(what, source), (source, reason)) for source in _SOURCES for reason, what in _DROPPED.items()),
    ),
    _one("last_log_timestamp_seconds", _seconds("logs.last_timestamp_ns")),
    _one("last_sample_timestamp_seconds", _seconds("figures.sampled_at_ns")),
)
"""In the order of the catalogue."""
