"""A log of 1 GiB with text like a service's: in one file, in closed files, and in compressed ones. Made once a run."""

import math
import random
import sys
import time
from unittest import mock

from fluster.cri import CriWriter, format_time
from fluster.cri.segments import segments
from fluster.logs.retention import Retention

BEGIN_NS = 1_767_225_600 * 10**9
SHAPES = ("one file", "closed files", "compressed")
LINE_NS = 50_000
"""Between two lines: 11 million take nine minutes and a bit."""
_BLOCK = 2_500
"""Lines written at once, a quarter of a MiB, as a capture does; a second has eight of them."""
_TEMPLATES = (
    "GET /api/v2/orders/{number}/items?page={small} 200 in {small} ms",
    "worker {small} took task {hexadecimal} from queue default",
    "worker {small} finished task {hexadecimal} in {ratio:.3f} s",
    "epoch {small} step {number}: loss {ratio:.5f} accuracy {ratio:.4f} lr 0.0003",
    "cache hit for key user:{number}:profile ({small} entries)",
    "debug: connection {hexadecimal} idle for {small} s, kept",
    'info: {{"event": "flush", "rows": {number}, "took": {ratio:.4f}}}',
    "retrying upload of part {small} of {hexadecimal} to the store",
)
_RARE = ("saw 17 zebras at the gate", "error: disk 3 does not answer", "worker 7 is lost")
"""Each of them stands in every twentieth second of the log, from the seventh on."""


class History:
    """`path` is the job.log of the one job below `root`."""

    def __init__(self, root, lines, rare):
        self.root = root
        self.job_id = "bench"
        self.path = str(root / self.job_id / "job.log")
        self.build_path = str(root / self.job_id / "build.log")
        self.lines = lines
        self.rare = rare
        """In so many lines each of the rare texts stands."""

    @property
    def files(self):
        """Oldest first."""
        return [each.path for each in segments(self.path)] + [self.path]


def histories(bench):
    """Shape -> History, the same lines in each."""
    if not hasattr(bench, "histories"):
        seconds, segment_bytes = bench.pick(563, 21), bench.pick(64 << 20, 8 << 20)
        sizes = (sys.maxsize, segment_bytes, segment_bytes)
        # Ten minutes of a log are written in seconds here: its files are closed at their size all the same.
        with mock.patch("fluster.cri.files.CALM_SECONDS", 0):
            bench.histories = {
                shape: _write(bench.folder(), seconds, size) for shape, size in zip(SHAPES, sizes, strict=True)
            }
        Retention(
            bench.histories["compressed"].root, limit_bytes=sys.maxsize, keep_seconds=math.inf, grace_seconds=0,
            clock=lambda: time.time() + 1,
        ).tend(set())  # fmt: skip
    return bench.histories


def _write(root, seconds, segment_bytes):
    history = History(root, seconds * 8 * _BLOCK, len(range(7, seconds, 20)))
    (root / history.job_id).mkdir()
    dice = random.Random(7)  # the same log in every run
    common = [[_line(dice) for _ in range(_BLOCK)] for _ in range(8)]
    blocks = [_block(lines, number) for number, lines in enumerate(common)]
    rare = _block([*_RARE, *common[0][len(_RARE) :]], 0)
    with CriWriter(history.path, segment_bytes=segment_bytes, limit_bytes=sys.maxsize) as writer:
        for second in range(seconds):
            begin_ns = BEGIN_NS + second * 10**9
            stamp = format_time(begin_ns)[:19].encode()
            for number, (text, size) in enumerate([rare, *blocks[1:]] if second % 20 == 7 else blocks):
                first_ns = begin_ns + number * _BLOCK * LINE_NS
                writer.add_lines(
                    text.replace(b"@", stamp), stdout=(_BLOCK, size), stderr=(0, 0),
                    first_ns=first_ns, last_ns=first_ns + (_BLOCK - 1) * LINE_NS,
                )  # fmt: skip
                writer.commit()
    return history


def _line(dice):
    return dice.choice(_TEMPLATES).format(
        number=dice.randrange(10**6), small=dice.randrange(64), hexadecimal=f"{dice.getrandbits(64):016x}",
        ratio=dice.random(),
    )  # fmt: skip


def _block(lines, number):
    """Ready entries of the block's place in a second, @ for the second itself; and the bytes of their text."""
    stamps = [format_time((number * _BLOCK + at) * LINE_NS)[19:] for at in range(_BLOCK)]
    text = "".join(f"@{stamp} stdout F {line}\n" for stamp, line in zip(stamps, lines, strict=True))
    return text.encode(), sum(map(len, lines)) + len(lines)
