"""Reading the logs of jobs: build.log, then job.log, filtered, in pages, from the end, or followed. Who writes them is no matter here."""

from fluster.logs.download import Download
from fluster.logs.entry import SOURCES, LogEntry, LogFilter, LogPage
from fluster.logs.live_counts import LiveCounts
from fluster.logs.numbers import Hits, HitsFilter
from fluster.logs.store import LogStore
from fluster.logs.tail import Batch

__all__ = [
    "SOURCES",
    "Batch",
    "Download",
    "Hits",
    "HitsFilter",
    "LiveCounts",
    "LogEntry",
    "LogFilter",
    "LogPage",
    "LogStore",
]
