"""The samples of a job's last minute as the store keeps them: column by column, times as differences, packed. Some ten bytes a sample."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import accumulate, pairwise

import orjson

from fluster.job import Sample

__all__ = ["dump", "load"]

_COLUMNS = ("memory_bytes", "cpu_cores", "processes", "disk_bytes")


def dump(samples: Sequence[Sample]) -> bytes:
    """`samples` has one at least."""
    times = [sample.timestamp_ms for sample in samples]
    columns = {
        "timestamp_ms": [times[0], *(after - before for before, after in pairwise(times))],
        **{name: [getattr(sample, name) for sample in samples] for name in _COLUMNS},
    }
    return zlib.compress(orjson.dumps(columns), 1)


def load(document: bytes) -> list[Sample]:
    """Raises ValueError on a broken document; a column that is not there is unknown."""
    try:
        columns = orjson.loads(zlib.decompress(document))
        times = list(accumulate(columns["timestamp_ms"]))
        values = zip(*(columns.get(name) or [None] * len(times) for name in _COLUMNS), strict=True)
        return [Sample(at, *each) for at, each in zip(times, values, strict=True)]
    except (zlib.error, TypeError, LookupError, AttributeError) as error:
        raise ValueError(f"broken samples: {error}") from error
