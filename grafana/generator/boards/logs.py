"""What jobs say: search over all of them, who is loud, and what is missing."""

from __future__ import annotations

from typing import Final

from grafana.generator.annotation import JOBS_MARKS
from grafana.generator.board import Board
from grafana.generator.graph import graph
from grafana.generator.grid import Line, Row
from grafana.generator.lines import lines
from grafana.generator.link import job_page, to_job
from grafana.generator.queries import logs as asked
from grafana.generator.style import bad_from, coloured
from grafana.generator.table import Column, listing
from grafana.generator.value import value
from grafana.generator.variable import JOBS, SEARCH, SOURCE, WORKER

__all__ = ["BOARD"]

_SOURCES: Final = {"build": coloured("purple"), "stdout": coloured("blue"), "stderr": coloured("orange")}

_FOUND: Final = Line(
    6,
    [graph("Lines that match", "By source, at each moment of this time.", "short", asked.LINES_BY_SOURCE, bars=True, calcs=("sum",), overrides=_SOURCES,
           nothing="no lines in this time")],
)  # fmt: skip

_LINES: Final = Line(
    16,
    [
        lines(
            "Lines",
            "The newest first. A line's job_id links to everything about its job.",
            asked.LINES,
            newest_first=True,
        )
    ],
)

_COUNTS: Final = (
    Line(
        4,
        [
            value("Written", "Lines that the chosen jobs of this time wrote in all: the worker's exact count, whatever reached Loki.", "short", asked.WRITTEN, nothing="0"),
            value("Bytes", "What they wrote, newlines included.", "bytes", asked.BYTES, nothing="0"),
            value("Lost", "Lines that are in no log: the disk was full, or a limit on logs dropped the oldest.", "short", asked.LOST, thresholds=bad_from(1), nothing="0"),
            value("Log files", "All log files of the chosen workers.", "bytes", asked.STORE, trend=False, nothing="no worker answers"),
        ],
    ),
    Line(
        8,
        [
            graph("Written by source", "Bytes a second.", "Bps", asked.RATE, stacked=True, overrides=_SOURCES, nothing="no job in this time"),
            graph("The ten loudest jobs", "Matching lines by job.", "short", asked.LOUDEST, bars=True, calcs=("sum",)),
            graph("Lost over time", "Lines lost, by reason.", "short", asked.LOST_OVER_TIME, bars=True, calcs=("sum",), nothing="none lost"),
        ],
    ),
    Line(
        7,
        [
            listing(
                "Jobs whose log is not whole", "What is missing, from which source, and why.",
                Column("Name", "name", links=[to_job("Worker", "Job")]),
                Column("Job", "job_id", links=[job_page("Page", "Job")]),
                Column("Source", "source"),
                Column("Why", "reason"),
                Column("Lines lost", asked.LOST_BY_JOB, "short"),
                Column("Worker", "worker"),
                Column("Page", "instance", hidden=True),
                sort="Lines lost", nothing="every log is whole",
            )
        ],
    ),
)  # fmt: skip

BOARD: Final = Board(
    name="logs",
    title="Fluster / Logs",
    description="Lines of all chosen jobs: search, who is loud, what is missing.",
    variables=[WORKER, JOBS, SOURCE, SEARCH],
    since="now-1h",
    annotations=JOBS_MARKS,
    rows=[Row("", [_FOUND, _LINES]), Row("How much", _COUNTS)],
)
