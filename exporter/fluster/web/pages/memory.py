"""A job's memory in words: used, peak and limit, one unit where all have the same."""

from __future__ import annotations

from dataclasses import dataclass

from fluster.job import Job
from fluster.sizes import format_bytes

__all__ = ["Memory", "memory", "share"]


@dataclass(frozen=True, slots=True)
class Memory:
    """`text` and `note` are short ("1.5 / 4.0 GiB", "peak 2.1"); `sentence` ("1.5 of 4.0 GiB, peak 2.1") and `title` stand alone.

    Of a finished job the share is that of its peak: what it used at its very end says nothing.
    """

    text: str
    note: str
    sentence: str
    title: str
    share: float | None
    peak_share: float | None


def memory(job: Job) -> Memory | None:
    """None where nothing is known."""
    limit, peak = job.request.limits.memory_bytes, job.figures.memory_peak_bytes
    used = None if job.state.terminal else job.figures.memory_usage_bytes
    if used is None and peak is None:
        return None
    limit_text = format_bytes(limit) if limit else ""
    unit = limit_text[limit_text.rindex(" ") :] if limit else "without"

    def short(size: int | None) -> str:
        return "" if size is None else format_bytes(size).removesuffix(unit)

    shown = short(used if used is not None else peak)
    top = f"peak {short(peak)}" if peak is not None else ""
    if used is None:
        sentence = f"{top} of {limit_text}" if limit else top
    else:
        sentence = ", ".join(filter(None, (f"{shown} of {limit_text}" if limit else shown, top)))
    parts = (
        "" if used is None else f"{format_bytes(used)} used",
        "" if peak is None else f"peak {format_bytes(peak)}",
        f"limit {limit_text}" if limit else "no limit",
    )
    return Memory(
        text=f"{shown} / {limit_text}" if limit else shown,
        note="peak" if used is None else top,
        sentence=sentence,
        title=", ".join(filter(None, parts)),
        share=share(peak if used is None else used, limit),
        peak_share=share(peak, limit),
    )


def share(value: float | None, limit: float | None) -> float | None:
    """0 to 1; None where one of them is unknown."""
    return None if value is None or not limit else min(value / limit, 1.0)
