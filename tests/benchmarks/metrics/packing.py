"""M4: gzip of the body of a scrape of 1000 jobs, at the level that the worker uses, beside zlib."""

import gzip

from isal import igzip

from fluster.collectors.text import Format
from fluster.web.metrics import _LEVEL
from tests.benchmarks.metrics.jobs import make_jobs
from tests.benchmarks.metrics.rendering import ours, timed
from tests.benchmarks.result import Goal, Result


def measure(bench):
    body = ours(make_jobs(bench.pick(1000, 20), live=True), Format.OPENMETRICS)
    packers = {
        "ours": lambda: igzip.compress(body, _LEVEL),
        "zlib level 1": lambda: gzip.compress(body, 1),
        "zlib level 6": lambda: gzip.compress(body, 6),
    }
    found = bench.interleave({name: lambda pack=pack: timed(pack) for name, pack in packers.items()})
    sizes = {name: [len(pack()) / 1000] for name, pack in packers.items()}
    what = f"gzip of {len(body) / 1e6:.1f} MB"
    yield Result("M4", what, "ms", found["ours"], "zlib level 1", found["zlib level 1"], Goal("share", 0.2))
    yield Result("M4", what, "ms", found["ours"], "zlib level 6", found["zlib level 6"])
    for name in ("zlib level 1", "zlib level 6"):
        yield Result("M4", "size of it", "kB", sizes["ours"], name, sizes[name])
