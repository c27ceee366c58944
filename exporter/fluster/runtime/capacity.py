"""What this machine has, and which limits hold here at all: a job that asks for more can never run here."""

from __future__ import annotations

import os
from collections.abc import Collection, Sized

import psutil

from fluster.errors import UnschedulableError
from fluster.job import Limits
from fluster.sizes import format_bytes

__all__ = ["check_capacity", "check_enforced"]


def check_capacity(limits: Limits, *, gpus: Sized, cpus: int | None = None, memory_bytes: int | None = None) -> None:
    """Raises UnschedulableError naming the field. `gpus` are those that can be assigned; `cpus` and `memory_bytes` default to this machine's."""
    have_cpus = cpus or os.cpu_count() or 1
    have_memory = memory_bytes or psutil.virtual_memory().total
    if limits.cpu_millicores and limits.cpu_millicores > have_cpus * 1000:
        raise UnschedulableError(
            f"cpus: it asks for {limits.cpu_millicores / 1000:g} cores, this machine has {have_cpus}; ask for less"
        )
    if limits.memory_bytes and limits.memory_bytes > have_memory:
        raise UnschedulableError(
            f"memory: it asks for {format_bytes(limits.memory_bytes)}, this machine has {format_bytes(have_memory)}; ask for less"
        )
    if limits.gpus > len(gpus):
        advice = "less" if len(gpus) else "none, or see that the worker finds NVIDIA's libnvidia-ml.so.1"
        raise UnschedulableError(f"gpus: it asks for {limits.gpus}, this machine has {len(gpus)}; ask for {advice}")


def check_enforced(limits: Limits, enforced: Collection[str], who: str) -> None:
    """Raises UnschedulableError naming the field of a limit that would not hold; `who` would ignore it, in a few words."""
    for field, kind, value in (
        ("memory", "memory", limits.memory_bytes),
        ("processes", "processes", limits.max_processes),
        ("cpus", "cpu", limits.cpu_millicores),
    ):
        if value and kind not in enforced:
            raise UnschedulableError(f"{field}: {who} would silently ignore this limit; leave it out")
