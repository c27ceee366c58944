"""The figures of the job page, in words, with what they mean and where they come from. Unknown ones are left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from fluster.job import GpuFigures, Job, Sample
from fluster.sizes import format_bytes, format_duration
from fluster.web.pages.memory import memory, share
from fluster.web.pages.sparkline import Sparkline, sparkline

__all__ = ["Figure", "figures"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure: its value in words, its share of the limit (0 to 1) where there is one, and where it comes from.

    Of a finished job the share is that of its peak: what it used at its very end says nothing.
    """

    key: str
    name: str
    text: str
    meaning: str
    source: str = "sampled"
    share: float | None = None
    peak_share: float | None = None
    spark: Sparkline | None = None
    """Its last minute; None where there is none."""


def figures(job: Job, samples: Sequence[Sample] = ()) -> list[Figure]:
    found = (
        _memory(job, samples),
        _cpu(job, samples),
        _processes(job, samples),
        _disk(job, samples),
        *_flows(job),
        _gpus(job),
    )
    return [figure for figure in found if figure is not None]


def _memory(job: Job, samples: Sequence[Sample]) -> Figure | None:
    words = memory(job)
    if words is None:
        return None
    return Figure(
        key="memory", name="Memory", text=words.sentence, share=words.share, peak_share=words.peak_share,
        source=job.figures.memory_peak_source or "sampled",
        spark=_spark("memory", [(each.timestamp_ms, each.memory_bytes) for each in samples], format_bytes,
                     limit=job.request.limits.memory_bytes, peak=job.figures.memory_peak_bytes),
        meaning="Memory charged to the job, page cache included, and the most that it ever was.",
    )  # fmt: skip


def _cpu(job: Job, samples: Sequence[Sample]) -> Figure | None:
    seen, over = job.figures, job.state.terminal
    if seen.cpu_seconds is None:
        return None
    cores = job.request.limits.cpu_millicores / 1000 if job.request.limits.cpu_millicores else None
    now = "" if over or seen.cpu_cores is None else f"{seen.cpu_cores:.2f} cores, "
    if cores:
        unit = "core" if cores == 1 else "cores"
        now = now.replace(" cores", f" of {cores:g} {unit}") or f"at most {cores:g} {unit}, "
    throttled = f", throttled {format_duration(seen.cpu_throttled_seconds)}" if seen.cpu_throttled_seconds else ""
    return Figure(
        key="cpu", name="CPU", text=f"{now}{seen.cpu_seconds:.2f} s in all{throttled}",
        share=share(seen.cpu_peak_cores if over else seen.cpu_cores, cores), peak_share=share(seen.cpu_peak_cores, cores),
        source=seen.cpu_source or "sampled",
        spark=_spark("CPU", [(each.timestamp_ms, each.cpu_cores) for each in samples], _cores, limit=cores, peak=seen.cpu_peak_cores),
        meaning="CPU time of all processes of the job, user and system mode together. Throttled is the time in which its limit held it up.",
    )  # fmt: skip


def _processes(job: Job, samples: Sequence[Sample]) -> Figure | None:
    seen, over, limit = job.figures, job.state.terminal, job.request.limits.max_processes
    now = None if over else seen.processes
    if now is None and seen.processes_peak is None:
        return None
    words = ("" if now is None else str(now), "" if seen.processes_peak is None else f"peak {seen.processes_peak}")
    return Figure(
        key="processes", name="Processes", text=", ".join(filter(None, words)) + (f" of {limit}" if limit else ""),
        share=share(seen.processes_peak if over else seen.processes, limit), peak_share=share(seen.processes_peak, limit),
        source=seen.processes_peak_source or "sampled",
        spark=_spark("processes", [(each.timestamp_ms, each.processes) for each in samples], _whole, limit=limit, peak=seen.processes_peak),
        meaning="Processes and threads together, as the kernel counts them.",
    )  # fmt: skip


def _disk(job: Job, samples: Sequence[Sample]) -> Figure | None:
    seen, limit = job.figures, job.request.limits.disk_bytes
    if seen.disk_bytes is None:
        return None
    allowed = f" of {format_bytes(limit)}" if limit else ""
    peak = "" if seen.disk_peak_bytes is None else f", peak {format_bytes(seen.disk_peak_bytes)}"
    return Figure(
        key="disk", name="Disk", text=f"{format_bytes(seen.disk_bytes)}{allowed}{peak}",
        share=share(seen.disk_bytes, limit), peak_share=share(seen.disk_peak_bytes, limit),
        spark=_spark("disk", [(each.timestamp_ms, each.disk_bytes) for each in samples], format_bytes, limit=limit, peak=seen.disk_peak_bytes),
        meaning="Disk blocks of the working and the output directory, as the last walk through them found them.",
    )  # fmt: skip


def _spark(
    name: str,
    values: list[tuple[int, float | None]],
    text: Callable[[float], str],
    *,
    limit: float | None,
    peak: float | None,
) -> Sparkline | None:
    found = sparkline(name, values, text=text, limit=limit, peak=peak)
    return found if found.line else None


def _cores(value: float) -> str:
    return f"{value:.2f} cores"


def _whole(value: float) -> str:
    return f"{value:.0f}"


def _flows(job: Job) -> Iterator[Figure]:
    """What goes in and out; counted by the kernel."""
    seen = job.figures
    rows = (
        ("network", "Network", "received", seen.network_receive_bytes, "sent", seen.network_transmit_bytes,
         "Bytes over the interfaces of the job's own network, loopback left out."),
        ("block", "Block I/O", "read", seen.block_read_bytes, "written", seen.block_written_bytes,
         "Bytes of block devices: what the page cache answered is not in it, and what is written counts when it reaches the disk."),
    )  # fmt: skip
    for key, name, in_word, inward, out_word, outward, meaning in rows:
        words = [f"{format_bytes(size)} {word}" for word, size in ((in_word, inward), (out_word, outward)) if size is not None]  # fmt: skip
        if words:
            yield Figure(key=key, name=name, text=", ".join(words), source="kernel", meaning=meaning)


def _gpus(job: Job) -> Figure | None:
    gpus = job.figures.gpus
    if not any(map(_gpu, gpus)):
        return None
    return Figure(
        key="gpus", name="GPUs", text="; ".join(_gpu(gpu) or "–" for gpu in gpus),
        meaning="Share of time in which each GPU was busy, and memory in use on it, whoever uses it.",
    )  # fmt: skip


def _gpu(gpu: GpuFigures) -> str:
    """`97 % busy, 3.0 GiB, peak 4.0 GiB`; empty where nothing is known."""
    busy, used, peak = gpu.utilization_ratio, gpu.memory_used_bytes, gpu.memory_peak_bytes
    parts = (
        "" if busy is None else f"{busy * 100:.0f} % busy",
        "" if used is None else format_bytes(used),
        "" if peak is None else f"peak {format_bytes(peak)}",
    )
    return ", ".join(part for part in parts if part)
