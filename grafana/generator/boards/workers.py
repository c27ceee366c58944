"""The fleet: is it there, what is wrong, has it room, is it well?"""

from __future__ import annotations

from typing import Final

from grafana.generator.annotation import WORKER_MARKS
from grafana.generator.board import Board
from grafana.generator.graph import graph
from grafana.generator.grid import Line, Row
from grafana.generator.link import to_job, worker_page
from grafana.generator.queries import workers as asked
from grafana.generator.style import STATES, bad_from, coloured, said
from grafana.generator.table import Column, listing
from grafana.generator.value import value
from grafana.generator.variable import WORKER
from prometheus.generator.thresholds import THRESHOLDS

__all__ = ["BOARD"]

_SEVERITIES: Final = {"critical": ("critical", "red"), "warning": ("warning", "orange"), "info": ("info", "blue")}
_COLOURED_TEXT: Final = {"custom.cellOptions": {"type": "color-text"}}


def _bar(*steps: tuple[float | None, str]) -> dict[str, object]:
    return {
        "custom.cellOptions": {"type": "gauge", "mode": "basic"}, "min": 0, "max": 1, "decimals": 0, "color": {"mode": "thresholds"},
        "thresholds": {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in steps]},
    }  # fmt: skip


_NOW: Final = Line(
    4,
    [
        value("Workers", "Workers that answered the last scrape, and those that did not.", "short", asked.UP, asked.DOWN,
              overrides={"down": {"thresholds": {"mode": "absolute", "steps": [{"value": None, "color": "text"}, {"value": 1, "color": "red"}]}},
                         "up": coloured("green")}),
        value("Slots used", "Share of all slots that jobs hold.", "percentunit", asked.SLOTS_SHARE, trend=False, nothing="no worker answers"),
        value("Running", "Jobs that run now.", "short", asked.RUNNING, nothing="no worker answers"),
        value("Waiting", "Jobs that wait for a slot or build.", "short", asked.WAITING, nothing="no worker answers"),
        value("Ended", "Jobs that ended in this time.", "short", asked.ENDED, nothing="no worker answers"),
        value("Failed", "Jobs that failed in this time, by themselves or by the worker.", "short", asked.FAILED, thresholds=bad_from(1),
              nothing="no worker answers"),
        value("Out of memory", "Jobs that were killed for memory in this time.", "short", asked.OUT_OF_MEMORY, thresholds=bad_from(1),
              nothing="no worker answers"),
    ],
    widths=(5, 4, 3, 3, 3, 3, 3),
)  # fmt: skip

_WRONG: Final = Line(
    8,
    [
        listing(
            "What is wrong", "Alerts that fire now.",
            Column("Severity", "severity", width=90, more={"mappings": [each.to_json() for each in said(_SEVERITIES)], **_COLOURED_TEXT}),
            Column("Alert", "alertname"),
            Column("Worker", "worker", width=120),
            Column("Job's name", "name"),
            Column("Job", "job_id", links=[to_job("Worker", "Job")]),
            Column("Firing", asked.ALERTS, hidden=True),
            sort="Severity", descending=False, nothing="no alert fires",
        ),
        listing(
            "Each worker", "What it is, and how full.",
            Column("Worker", "worker", links=[worker_page("Page")]),
            Column("Up", asked.WORKER_UP, width=60, more={
                "mappings": [each.to_json() for each in said({"1": ("up", "green"), "0": ("down", "red")})], **_COLOURED_TEXT}),
            Column("Slots used", asked.SLOTS_USED, "percentunit", width=120, more=_bar((None, "blue"))),
            Column("Waiting", asked.QUEUED, "short", width=75),
            Column("Failed in 30 min", asked.FAILED_LATELY, "short", width=115, more={"decimals": 0}),
            Column("Disk free", asked.FREE, "percentunit", width=120, more=_bar((None, "red"), (THRESHOLDS.filesystem_free, "green"))),
            Column("Up for", asked.UPTIME, "s", width=90),
            Column("Runtime", "runtime", width=80),
            Column("Engine", "engine_version", width=85),
            Column("Version", "version", width=80),
            Column("Page", "instance", hidden=True),
            Column("Build", asked.VERSION, hidden=True),
            Column("Kind", asked.RUNTIME, hidden=True),
            sort="Worker", descending=False, nothing="no worker is scraped",
        ),
    ],
    widths=(9, 15),
)  # fmt: skip

_ROOM: Final = (
    Line(
        8,
        [
            graph("Slots", "Slots that jobs hold, of all.", "short", *asked.SLOTS),
            graph("Queue", "Jobs that wait for a slot; beyond the limit new ones are refused.", "short", *asked.QUEUE),
            graph("How long jobs wait", "From acceptance to the start of building.", "s", *asked.QUEUE_TIME, nothing="none was started"),
        ],
    ),
    Line(
        8,
        [
            graph("Jobs that ended", "By state.", "short", asked.ENDED_OVER_TIME, bars=True, calcs=("sum",), nothing="none ended",
                  overrides={state: coloured(colour) for state, colour in STATES.items()}),
            graph("CPU of jobs", "Cores that running jobs use, by worker.", "suffix: cores", asked.CPU_OF_JOBS, stacked=True, nothing="nothing runs"),
            graph("Memory of jobs", "Working sets of running jobs, by worker.", "bytes", asked.MEMORY_OF_JOBS, stacked=True, nothing="nothing runs"),
        ],
    ),
)  # fmt: skip

_HEALTH: Final = (
    Line(
        7,
        [
            graph("Disk free", "Share of the file systems of state and cache that is free; an alert begins below the line.", "percentunit", asked.DISK_FREE,
                  limit=THRESHOLDS.filesystem_free, highest=1, calcs=("lastNotNull", "min")),
            graph("Stored", "Log files, and caches at their last clearing.", "bytes", *asked.STORED, stacked=True),
            graph("Engine answers", "1 where the runtime's engine answered the last ping.", "short", asked.ENGINE_UP, highest=1, calcs=("lastNotNull", "min")),
            graph("How long the engine takes", "95 % of its answers came within this, by operation.", "s", asked.ENGINE_TIME, nothing="the engine was not asked"),
        ],
    ),
    Line(
        7,
        [
            graph("Engine errors", "Requests that the engine refused, or that failed.", "short", asked.ENGINE_ERRORS, bars=True, calcs=("sum",), nothing="none failed"),
            graph("Collectors", "1 where the collector gave its metrics in the scrape.", "short", *asked.COLLECTORS, highest=1, calcs=("lastNotNull", "min")),
            graph("Figures that could not be read", "Readings of live figures that failed.", "short", asked.READ_ERRORS, bars=True, calcs=("sum",)),
            graph("Leftovers", "Jobs of an earlier worker found at start, by what became of them, and leftovers removed.", "short", *asked.LEFTOVERS,
                  calcs=("lastNotNull",)),
        ],
    ),
    Line(
        7,
        [
            graph("Builds", "Environments and images, by how building ended.", "short", asked.BUILDS, bars=True, calcs=("sum",)),
            graph("Cache hits", "Share of look-ups within an hour that found what they looked for.", "percentunit", *asked.CACHE_HITS, highest=1,
                  nothing="nothing was looked up"),
        ],
    ),
)  # fmt: skip

_ITSELF: Final = (
    Line(
        7,
        [
            graph("CPU of the worker", "Cores that the worker itself uses.", "suffix: cores", asked.WORKER_CPU),
            graph("Memory of the worker", "Resident memory of the worker itself.", "bytes", asked.WORKER_MEMORY),
            graph("Open files of the worker", "File descriptors, and the smallest limit.", "short", *asked.WORKER_FILES),
            graph("Scrape time by collector", "How long each collector took.", "s", asked.SCRAPE_TIME),
        ],
    ),
    Line(
        7,
        [
            graph("HTTP requests", "A second, by status code.", "reqps", asked.REQUESTS, stacked=True),
            graph("How long HTTP requests took", "95 % were answered within this, by route; streams left out.", "s", asked.REQUEST_TIME),
            graph("RPCs", "A second, by method and code.", "reqps", asked.CALLS, stacked=True, nothing="none called"),
        ],
    ),
)  # fmt: skip

BOARD: Final = Board(
    name="workers",
    title="Fluster / Workers",
    description="All workers: are they there, what is wrong, have they room, are they well?",
    variables=[WORKER],
    annotations=WORKER_MARKS,
    rows=[Row("", [_NOW, _WRONG]), Row("Room", _ROOM), Row("Health", _HEALTH), Row("The worker itself", _ITSELF)],
)
