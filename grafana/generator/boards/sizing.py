"""Asked for against needed: what to write into the next request."""

from __future__ import annotations

from typing import Final

from grafana.generator.board import Board
from grafana.generator.graph import spread
from grafana.generator.grid import Line, Row
from grafana.generator.link import job_page, to_job
from grafana.generator.queries import sizing as asked
from grafana.generator.style import bad_from
from grafana.generator.table import Column, listing
from grafana.generator.value import value
from grafana.generator.variable import NAME, WORKER
from prometheus.generator.thresholds import THRESHOLDS

__all__ = ["BOARD"]

_SHARE: Final = {
    "custom.cellOptions": {"type": "gauge", "mode": "basic"}, "min": 0, "max": 1, "decimals": 0, "color": {"mode": "thresholds"},
    "thresholds": {"mode": "absolute", "steps": [
        {"value": None, "color": "blue"}, {"value": 0.5, "color": "green"}, {"value": THRESHOLDS.memory, "color": "red"}]},
}  # fmt: skip
_TWO: Final = {"decimals": 2}

_SUM: Final = Line(
    4,
    [
        value("Finished jobs", "Jobs that ended in this time and are looked at here.", "short", asked.FINISHED),
        value("Memory not needed", "Limit minus peak, times the run time, over all finished jobs that had a limit.", "suffix: GiB·h", asked.MEMORY_UNUSED,
              nothing="no job had a memory limit"),
        value("CPU not used", "Limit times run time, minus CPU time, over all finished jobs that had a limit.", "suffix: core·h", asked.CPU_UNUSED,
              nothing="no job had a CPU limit"),
        value("Near the limit", "Finished jobs whose peak was above 90 % of the limit: the next one may not fit.", "short", asked.NEAR_LIMIT,
              thresholds=bad_from(1)),
        value("No memory limit", "Finished jobs that could have taken the whole machine.", "short", asked.WITHOUT_LIMIT, thresholds=bad_from(1)),
    ],
    widths=(4, 6, 6, 4, 4),
)  # fmt: skip

_BY_NAME: Final = Line(
    10,
    [
        listing(
            "By name: what to ask for next time", f"The highest of all runs of one name. The suggestion is the highest peak and {asked.HEADROOM - 1:.0%} more.",
            Column("Name", "name"),
            Column("Worker", "worker", width=120),
            Column("Jobs", asked.RUNS, "short", width=70),
            Column("Memory asked for", asked.NAME_MEMORY_LIMIT, "bytes", width=140),
            Column("Memory needed", asked.NAME_MEMORY_PEAK, "bytes", width=130),
            Column("Memory used", asked.NAME_MEMORY_SHARE, "percentunit", width=140, more=_SHARE),
            Column("Memory suggested", asked.NAME_MEMORY_SUGGESTED, "bytes", width=140),
            Column("CPU asked for", asked.NAME_CPU_LIMIT, "suffix: cores", width=120, more=_TWO),
            Column("CPU needed", asked.NAME_CPU_PEAK, "suffix: cores", width=110, more=_TWO),
            Column("Longest run", asked.NAME_RUN, "s", width=110),
            sort="Memory asked for", nothing="no job ended in this time",
        )
    ],
)  # fmt: skip

_BY_JOB: Final = Line(
    12,
    [
        listing(
            "By job", "Each finished job: what it was given, and what it took.",
            Column("Finished", asked.FINISHED_AT, "dateTimeAsIso", width=170),
            Column("Name", "name", links=[to_job("Worker", "Job")]),
            Column("Job", "job_id", links=[job_page("Page", "Job")]),
            Column("Ran for", asked.RAN_FOR, "s", width=95),
            Column("Memory asked for", asked.MEMORY_LIMIT, "bytes", width=135),
            Column("Memory needed", asked.MEMORY_PEAK, "bytes", width=125),
            Column("Of it anonymous", asked.ANON_PEAK, "bytes", width=125),
            Column("Memory used", asked.MEMORY_SHARE, "percentunit", width=130, more=_SHARE),
            Column("CPU asked for", asked.CPU_LIMIT, "suffix: cores", width=110, more=_TWO),
            Column("CPU on average", asked.CPU_MEAN, "suffix: cores", width=120, more=_TWO),
            Column("CPU at most", asked.CPU_PEAK, "suffix: cores", width=110, more=_TWO),
            Column("Worker", "worker", width=110),
            Column("Page", "instance", hidden=True),
            Column("Info", asked.NAME, hidden=True),
            sort="Finished", nothing="no job ended in this time",
        )
    ],
)  # fmt: skip

_SPREAD: Final = Line(
    8,
    [
        spread("Memory peak as a share of the limit", "How many finished jobs used which share: near 1 is too little, near 0 too much.", "percentunit", asked.PEAK_RATIO_SPREAD),
        spread("Memory peaks", "How many finished jobs peaked where.", "bytes", asked.PEAK_SPREAD),
        spread("CPU time", "How much CPU time finished jobs took.", "s", asked.CPU_SPREAD),
    ],
)  # fmt: skip

BOARD: Final = Board(
    name="sizing",
    title="Fluster / Sizing",
    description="What finished jobs asked for and what they needed, so that the next request fits.",
    variables=[WORKER, NAME],
    since="now-24h",
    refresh="5m",
    rows=[Row("", [_SUM, _BY_NAME]), Row("Job by job", [_BY_JOB]), Row("All finished jobs", [_SPREAD])],
)
