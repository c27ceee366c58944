"""The CRI log format: its lines, the writer of log files, and what stands beside them. Standard library only: every job's own
supervisor process imports it.
"""

from fluster.cri.counts import Counts, Resume, counts_path, parse_counts, read_counts
from fluster.cri.line import CriLine, format_time, parse_line, parse_time
from fluster.cri.open_lines import OpenLines
from fluster.cri.segments import Floor, read_floor
from fluster.cri.writer import CriWriter, LogBounds

__all__ = [
    "Counts",
    "CriLine",
    "CriWriter",
    "Floor",
    "LogBounds",
    "OpenLines",
    "Resume",
    "counts_path",
    "format_time",
    "parse_counts",
    "parse_line",
    "parse_time",
    "read_counts",
    "read_floor",
]
