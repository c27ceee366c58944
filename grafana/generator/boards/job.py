"""One job: first how it ended and why, then memory and CPU against their limits, below them the log of the same time, then the rest."""

from __future__ import annotations

from typing import Final

from grafana.generator.annotation import JOB_MARKS
from grafana.generator.board import Board
from grafana.generator.graph import graph
from grafana.generator.grid import Line, Row
from grafana.generator.lines import lines
from grafana.generator.link import job_page
from grafana.generator.queries import job as asked
from grafana.generator.style import REASONS, STATES, WORDS, bad_from, coloured, second_axis
from grafana.generator.table import Column, listing
from grafana.generator.value import bars, value, word
from grafana.generator.variable import JOB, SEARCH, SOURCE, WORKER
from prometheus.generator.thresholds import THRESHOLDS

__all__ = ["BOARD"]

_OUTCOME: Final = Line(
    4,
    [
        word("State", "What became of the job, or where it is.", asked.STATE, colours=STATES, words=WORDS, nothing="no such job in this time"),
        word("Why it ended", "The end reason; nothing while the job lives.", asked.REASON, colours=REASONS, words=WORDS, nothing="not ended"),
        value(
            "Exit code", "As a shell gives it: 128 + n for signal n, 137 also for out of memory.", "none", asked.EXIT_CODE, nothing="none yet",
            thresholds=bad_from(1),
        ),
        value("Ran for", "From its first process to the end of its last, and the run timeout where it has one.", "s", asked.RUNNING, asked.TIMEOUT, nothing="not started"),
        value(
            "Memory", "The highest use ever against the limit. The peak is the kernel's own high-water mark where that is to be had, page cache included.",
            "bytes", asked.MEMORY_PEAK, asked.MEMORY_LIMIT, asked.MEMORY_SHARE, nothing="unknown",
            overrides={"peak of limit": {"unit": "percentunit", "decimals": 0, "thresholds": {"mode": "absolute", "steps": [
                {"value": None, "color": "green"}, {"value": THRESHOLDS.memory, "color": "orange"}, {"value": 0.995, "color": "red"}]}}},
        ),
        value(
            "CPU", "Cores: on average over its run, at most over one second, and its limit. Throttled: the share of CPU periods in which it was held back.",
            "suffix: cores", asked.CPU_MEAN, asked.CPU_PEAK, asked.CPU_LIMIT, asked.THROTTLED, nothing="unknown",
            overrides={"throttled": {"unit": "percentunit", "decimals": 0, "thresholds": {"mode": "absolute", "steps": [
                {"value": None, "color": "green"}, {"value": THRESHOLDS.throttled, "color": "orange"}]}}},
        ),
    ],
    widths=(3, 3, 3, 4, 5, 6),
)  # fmt: skip

_USE: Final = Line(
    9,
    [
        graph(
            "Memory against its limit", "Sampled while it runs. The peak is exact even where the lines missed it: it is read from the kernel at the end.",
            "bytes", *asked.MEMORY, overrides={"with page cache": coloured("#8ab8ff80"), "working set": coloured("blue"), "anonymous": coloured("purple")},
        ),
        graph(
            "CPU against its limit", "Cores used, by mode; on the right the share of CPU periods in which the job was throttled.", "suffix: cores",
            *asked.CPU, stacked=True,
            overrides={"throttled": second_axis("percentunit") | coloured("orange"), "user": coloured("blue"), "system": coloured("purple")},
        ),
    ],
)  # fmt: skip

_LOG: Final = Line(
    14,
    [
        lines(
            "Log", "The lines at the same time, by their own write times. The worker's page has all of them, also those that Loki does not.",
            asked.LINES, newest_first=False,
        )
    ],
)  # fmt: skip

_DETAIL: Final = (
    Line(
        7,
        [
            bars("Where its time went", "Waiting for a slot, building its environment, running.", "s", asked.QUEUED, asked.BUILDING, asked.RUNNING,
                 colours={"queued": STATES["pending"], "building": STATES["building"], "running": STATES["running"]}),
            graph("Log lines", "Lines a second that the worker wrote to the job's log.", "suffix: lines/s", asked.LOG_RATE, stacked=True),
            graph("Log lines in Loki", "What came on to Loki, as the search above filters it.", "short", asked.LINES_BY_SOURCE, bars=True, calcs=("sum",)),
            graph("Log lines lost", "Lines that are not in the log: the disk was full, or a limit on logs dropped the oldest.", "short", asked.LOG_DROPPED,
                  bars=True, calcs=("sum",), nothing="none lost"),
        ],
    ),
    Line(
        7,
        [
            graph("Memory shortage", "How often it ran into its memory limit, and how many of its processes were killed for it.", "short", *asked.SHORTAGE,
                  bars=True, calcs=("sum",)),
            graph("Processes and threads", "Now, at most, and the limit.", "short", *asked.PROCESSES),
            graph("Disk", "Blocks of its working and output directory at each walk.", "bytes", *asked.DISK),
        ],
    ),
    Line(
        7,
        [
            graph("Block devices", "Bytes a second that were read and written; what the page cache answered is not in it.", "Bps", *asked.BLOCK),
            graph("Network", "Bytes a second in the job's own network namespace; a process job has none.", "Bps", *asked.NETWORK,
                  nothing="the job has no network namespace of its own"),
            graph("Waiting for resources", "Share of time in which some task of the job waited for CPU, memory or I/O; on cgroup v2 only.", "percentunit",
                  asked.PRESSURE, nothing="no pressure figures on cgroup v1"),
        ],
    ),
)  # fmt: skip

_GPU: Final = Line(
    7,
    [
        graph("GPU utilisation", "Share of time in which each of the job's GPUs was busy.", "percentunit", asked.GPU_UTILIZATION, highest=1,
              nothing="the job has no GPU"),
        graph("GPU memory", "In use now, and at most, by GPU.", "bytes", *asked.GPU_MEMORY, nothing="the job has no GPU"),
    ],
)  # fmt: skip

_FACTS: Final = Line(
    5,
    [
        listing(
            "Facts", "What does not change about it, and when each phase began.",
            Column("Worker", "worker"),
            Column("Page", "instance", links=[job_page("Page", "Job")]),
            Column("Job", "job_id", links=[job_page("Page", "Job")]),
            Column("Name", "name"),
            Column("Image", "image"),
            Column("Bundle", "bundle"),
            Column("Submitted", asked.SUBMITTED, "dateTimeAsIso"),
            Column("Build started", asked.BUILD_STARTED, "dateTimeAsIso"),
            Column("Started", asked.STARTED, "dateTimeAsIso"),
            Column("Finished", asked.FINISHED, "dateTimeAsIso"),
            Column("Info", asked.NAME, hidden=True),
            sort="Submitted", nothing="no such job in this time",
        )
    ],
)  # fmt: skip

BOARD: Final = Board(
    name="job",
    title="Fluster / Job",
    description="One job: what became of it and why, what it used of what it may have, and what it said.",
    variables=[WORKER, JOB, SOURCE, SEARCH],
    annotations=JOB_MARKS,
    rows=[
        Row("", [_OUTCOME, _USE, _LOG]),
        Row("In detail", _DETAIL),
        Row("Facts", [_FACTS]),
        Row("GPU (jobs that were given one)", [_GPU], folded=True),
    ],
)
