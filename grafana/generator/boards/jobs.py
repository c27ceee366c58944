"""Many jobs: how many are where, how they ended, which they are, how long they took, what they use."""

from __future__ import annotations

from typing import Final

from grafana.generator.board import Board
from grafana.generator.graph import graph, spread
from grafana.generator.grid import Line, Row
from grafana.generator.link import job_page, to_job
from grafana.generator.queries import jobs as asked
from grafana.generator.style import REASONS, STATES, WORDS, bad_from, coloured, said
from grafana.generator.table import Column, listing
from grafana.generator.value import bars, value
from grafana.generator.variable import NAME, STATE, WORKER
from prometheus.generator.thresholds import THRESHOLDS

__all__ = ["BOARD"]

_STATES_SAID: Final = {state: (WORDS.get(state, state), colour) for state, colour in STATES.items()}
_REASONS_SAID: Final = {reason: (WORDS.get(reason, reason), colour) for reason, colour in REASONS.items()}
_COLOURED_TEXT: Final = {"custom.cellOptions": {"type": "color-text"}}
_BAR: Final = {
    "custom.cellOptions": {"type": "gauge", "mode": "basic"}, "min": 0, "max": 1, "decimals": 0,
    "color": {"mode": "thresholds"},
    "thresholds": {"mode": "absolute", "steps": [{"value": None, "color": "green"}, {"value": THRESHOLDS.memory, "color": "red"}]},
}  # fmt: skip

_NOW: Final = Line(
    4,
    [
        value("Now", "Jobs that the workers remember, by state, at the end of the time range.", "short", asked.BY_STATE,
              overrides={state: coloured(colour) for state, colour in STATES.items()}, nothing="no worker answers"),
        value("Failed", "Share of the jobs that ended in this time and failed by themselves or by the worker.", "percentunit", asked.FAILED_SHARE,
              thresholds=bad_from(THRESHOLDS.failed_jobs), nothing="none ended"),
    ],
    widths=(20, 4),
)  # fmt: skip

_LIST: Final = Line(
    12,
    [
        listing(
            "Jobs", "All jobs of this time in the chosen states. A click on a name leads to everything about the job, one on its id to its page.",
            Column("Submitted", asked.SUBMITTED, "dateTimeAsIso", width=170),
            Column("Name", "name", links=[to_job("Worker", "Job")]),
            Column("Job", "job_id", links=[job_page("Page", "Job")]),
            Column("State", "state", width=110, more={"mappings": [said_.to_json() for said_ in said(_STATES_SAID)], **_COLOURED_TEXT}),
            Column("Why", "reason", width=120, more={"mappings": [said_.to_json() for said_ in said(_REASONS_SAID)], **_COLOURED_TEXT}),
            Column("Exit code", asked.EXIT_CODE, width=85),
            Column("Ran for", asked.RAN_FOR, "s", width=95),
            Column("Memory peak", asked.MEMORY_PEAK, "bytes", width=110),
            Column("Of its limit", asked.MEMORY_SHARE, "percentunit", width=130, more=_BAR),
            Column("CPU time", asked.CPU_SECONDS, "s", width=95),
            Column("Log lines", asked.LOG_LINES, "short", width=90),
            Column("Worker", "worker", width=110),
            Column("Page", "instance", hidden=True),
            Column("In this state", asked.STATE, hidden=True),
            Column("Info", asked.NAME, hidden=True),
            Column("Ended", asked.REASON, hidden=True),
            sort="Submitted", nothing="no jobs in this time",
        )
    ],
)  # fmt: skip

_OUTCOMES: Final = Line(
    8,
    [
        graph("Ended", "Jobs that ended, by state and reason.", "short", asked.ENDED_OVER_TIME, bars=True, calcs=("sum",), nothing="none ended"),
        bars("Why they ended", "Jobs of this time by end reason.", "short", asked.ENDED, colours=REASONS, nothing="none ended"),
        graph("Share that failed", f"Over {THRESHOLDS.failure_window.in_words}, by worker; the line is where an alert begins.", "percentunit",
              asked.FAILED_OVER_TIME, limit=THRESHOLDS.failed_jobs, highest=1, nothing="none ended"),
    ],
    widths=(10, 6, 8),
)  # fmt: skip

_TIMES: Final = Line(
    8,
    [
        graph("Jobs by state", "Waiting, building and running at each moment.", "short", asked.JOBS_OVER_TIME, stacked=True,
              overrides={state: coloured(colour) for state, colour in STATES.items()}),
        graph("How long they took", "Half and 95 % of the jobs waited, built and ran no longer than this.", "s", *asked.DURATIONS, nothing="none ended"),
        spread("How long they ran", "How many jobs ran for how long.", "s", asked.RUN_SPREAD),
    ],
)  # fmt: skip

_USE: Final = Line(
    9,
    [
        graph("Memory, the ten largest", "Working sets of the jobs that run.", "bytes", asked.MEMORY_BY_JOB, stacked=True, nothing="nothing runs"),
        graph("CPU, the ten busiest", "Cores used by the jobs that run.", "suffix: cores", asked.CPU_BY_JOB, stacked=True, nothing="nothing runs"),
    ],
)  # fmt: skip

BOARD: Final = Board(
    name="jobs",
    title="Fluster / Jobs",
    description="Jobs of the chosen workers: which there are, how they ended, how long they took, what they use.",
    variables=[WORKER, STATE, NAME],
    rows=[Row("", [_NOW, _LIST]), Row("Outcomes", [_OUTCOMES]), Row("Times", [_TIMES]), Row("Use", [_USE])],
)
