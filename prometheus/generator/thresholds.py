"""Where "too much" and "too long" begin: read by the alerts, and by the dashboards for their limit lines and colours."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final

__all__ = ["THRESHOLDS", "Duration", "Thresholds"]

_MINUTE: Final = 60
_UNITS: Final = (("d", 86400), ("h", 3600), ("m", _MINUTE), ("s", 1))


@dataclass(frozen=True, slots=True)
class Duration:
    """Written `10m` in queries and rules, as Prometheus has it; `in_words` is for sentences."""

    seconds: int

    def __str__(self) -> str:
        rest, text = self.seconds, ""
        for unit, size in _UNITS:
            count, rest = divmod(rest, size)
            text += f"{count}{unit}" if count else ""
        return text or "0s"

    @property
    def in_words(self) -> str:
        """`10 min`, `1 h 30 min`."""
        words = {"d": "d", "h": "h", "m": "min", "s": "s"}
        rest, text = self.seconds, []
        for unit, size in _UNITS:
            count, rest = divmod(rest, size)
            if count:
                text.append(f"{count} {words[unit]}")
        return " ".join(text) or "0 s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Ratios are of 1. A duration says how long a state must last, or how long an event is told about."""

    rate: Duration = Duration(5 * _MINUTE)
    """What a rate is taken over: several scrapes at 15 s each."""
    event: Duration = Duration(10 * _MINUTE)
    """How long an alert about something that happened stays: long enough for a notification, then it resolves."""

    remembered: Duration = Duration(60 * _MINUTE)
    """For how long a worker that is no target any more is missed, and an earlier start of one is known."""
    worker_down: Duration = Duration(2 * _MINUTE)
    engine_down: Duration = Duration(1 * _MINUTE)
    collector_failing: Duration = Duration(5 * _MINUTE)
    filesystem_free: float = 0.10
    """Share of a file system that is free."""
    filesystem_filling: Duration = Duration(10 * _MINUTE)
    filesystem_trend: Duration = Duration(60 * _MINUTE)
    """What the rate of filling is taken over."""
    filesystem_ahead: Duration = Duration(240 * _MINUTE)
    """A file system that would be full by then is filling."""
    filesystem_ample: float = 0.30
    """Share of free space above which no trend is believed."""
    filesystem_short: float = 0.03
    """Share of a file system below which jobs begin to fail."""
    filesystem_full: Duration = Duration(1 * _MINUTE)
    queue: float = 0.90
    """Share of the queue that is taken."""
    queue_saturated: Duration = Duration(10 * _MINUTE)
    failed_jobs: float = 0.25
    """Share of the jobs that ended within `failure_window` and failed."""
    failure_window: Duration = Duration(30 * _MINUTE)
    failure_minimum: int = 5
    """Fewer ended jobs than this say nothing about a ratio."""
    builds_failed: int = 3
    """Failed builds within `failure_window` that are no single job's matter any more."""

    memory: float = 0.90
    """Working set as a share of the memory limit."""
    process_killed: Duration = Duration(1 * _MINUTE)
    """A job that lives that long after one of its processes was killed for memory has survived it."""
    memory_near_limit: Duration = Duration(2 * _MINUTE)
    throttled: float = 0.25
    """Share of the CPU periods in which a job was held back."""
    cpu_throttled: Duration = Duration(10 * _MINUTE)
    processes: float = 0.90
    processes_near_limit: Duration = Duration(2 * _MINUTE)
    disk: float = 0.90
    disk_near_limit: Duration = Duration(2 * _MINUTE)
    pending: Duration = Duration(30 * _MINUTE)
    building: Duration = Duration(15 * _MINUTE)
    timeout: float = 0.90
    """Share of its run timeout that a job has used."""
    timeout_worth_telling: Duration = Duration(10 * _MINUTE)
    """A shorter timeout is over before anybody has read about it."""
    stalled: Duration = Duration(30 * _MINUTE)
    """How long a running job neither logs nor computes."""
    stalled_cores: float = 0.01
    """CPU use below which a job does not compute."""
    gpu: float = 0.05
    """GPU utilisation below which it idles."""
    gpu_idle: Duration = Duration(30 * _MINUTE)

    def faster(self, factor: int) -> Thresholds:
        """The same with every duration that many times shorter: a test that cannot wait for minutes."""
        durations: dict[str, Any] = {
            field.name: Duration(max(value.seconds // factor, 1))
            for field in fields(self)
            if isinstance(value := getattr(self, field.name), Duration)
        }
        return replace(self, **durations)


THRESHOLDS: Final = Thresholds()
