"""Cgroups of jobs as systemd's slices, on v2: for engines whose containers are systemd's, and where the tree is systemd's alone.

A slice outlives the containers in it, and with them its account does. Made and ended over D-Bus, by systemd's own busctl: the slices
are transient, nothing is written to a disk.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable

from fluster.cgroup.group import CPU_PERIOD_US, Bounds, JobCgroup
from fluster.cgroup.hierarchy import Hierarchy, NotOurs, unified_mount

__all__ = ["SliceCgroup", "Slices", "find_slices"]

_SECONDS = 10.0
_DASH = "\\"
"""A dash is a step in the tree of slices. No id holds this one, and of what systemd allows only the colon is free, too: engines part
words by it."""
_LONGEST_WORKER_ID = 100
_ACCOUNTING = [f"{each}Accounting=b:true" for each in ("CPU", "Memory", "Tasks", "IO")]


class Slices(Hierarchy):
    """`base` is the worker's own slice; a job's is `fluster-<worker>-<job>.slice` below it."""

    def unit(self, *ids: str) -> str:
        return "-".join(["fluster", *(each.replace("-", _DASH) for each in ids)]) + ".slice"

    def job_ids(self) -> set[str]:
        prefix = os.path.basename(self.base).removesuffix(".slice") + "-"
        return {
            name.removeprefix(prefix).removesuffix(".slice").replace(_DASH, "-")
            for name in super().job_ids()
            if name.startswith(prefix)
        }

    def release(self) -> None:
        for path in (self.base, os.path.dirname(self.base)):
            directory = self.roots[""] + path
            if os.path.isdir(directory) and not any(
                os.path.isdir(f"{directory}/{name}") for name in os.listdir(directory)
            ):
                try:
                    _call("StopUnit", "ss", os.path.basename(path), "replace")
                except OSError:
                    return  # an empty slice does no harm


class SliceCgroup(JobCgroup):
    def __init__(self, slices: Slices, job_id: str) -> None:
        worker = os.path.basename(slices.base).removeprefix("fluster-").removesuffix(".slice").replace(_DASH, "-")
        super().__init__(slices, slices.unit(worker, job_id))
        self.unit = os.path.basename(self.path)
        self.parent = self.unit

    def create(self, bounds: Bounds) -> None:
        bounds = bounds.in_pages()
        properties = [f"Description=s:A job of Fluster ({self.unit})", *_ACCOUNTING]
        if bounds.memory_bytes is not None:
            properties += [f"MemoryMax=t:{bounds.memory_bytes}", "MemorySwapMax=t:0"]
        if bounds.cpu_millicores is not None:
            # systemd rounds to hundredths of a core: up, for a job is given what it asked for.
            quota = -(-bounds.cpu_millicores // 10) * 10_000
            properties += [f"CPUQuotaPerSecUSec=t:{quota}", f"CPUQuotaPeriodUSec=t:{CPU_PERIOD_US}"]
        if bounds.max_processes is not None:
            properties.append(f"TasksMax=t:{bounds.max_processes}")
        directory = self.directories[""]
        if not os.path.isdir(directory):
            _start(self.unit, properties)
        wanted = [(f"{directory}/{name}", value) for _, name, value in self._settings(bounds) if name != "cpu.max"]
        if bounds.cpu_millicores is not None:
            wanted.append((f"{directory}/cpu.max", f"{-(-bounds.cpu_millicores // 10) * 1000} {CPU_PERIOD_US}"))
        if not _until(lambda: os.path.isdir(directory) and all(_first_line(path) == value for path, value in wanted)):
            self.remove()
            raise OSError(f"systemd did not make {self.unit} with its limits in {_SECONDS:.0f} s")

    def remove(self) -> None:
        directory = self.directories[""]
        if not os.path.isdir(directory):
            return
        _call("StopUnit", "ss", self.unit, "replace")
        if not _until(lambda: not os.path.isdir(directory)):
            raise OSError(f"systemd did not remove {self.unit} in {_SECONDS:.0f} s")


def find_slices(worker_id: str) -> Slices:
    """The slice of this worker, made. Raises NotOurs."""
    unified = unified_mount()
    if os.geteuid() != 0 or not unified or not os.path.isdir("/run/systemd/system"):
        raise NotOurs("slices of the worker's own take root, systemd and cgroup v2")
    if len(worker_id) > _LONGEST_WORKER_ID:
        raise NotOurs(
            f"the worker's id is too long for the name of a slice: {_LONGEST_WORKER_ID} characters are possible"
        )
    unit = f"fluster-{worker_id.replace('-', _DASH)}.slice"
    slices = Slices(2, {"": unified}, [], f"/fluster.slice/{unit}")
    directory = unified + slices.base
    try:
        if not os.path.isdir(directory):
            # A weight, even the usual one, brings the cpu controller along: accounting alone does not.
            _start(unit, ["CPUWeight=t:100", *_ACCOUNTING])
    except OSError as error:
        raise NotOurs(f"systemd makes no slice: {error}") from error
    if not _until(lambda: len(slices.enforces()) == 3):
        raise NotOurs(f"systemd made no {unit} with the controllers cpu, memory and pids")
    return slices


def _start(unit: str, properties: list[str]) -> None:
    words = [str(len(properties))]
    for each in properties:
        name, _, typed = each.partition("=")
        kind, _, value = typed.partition(":")
        words += [name, kind, value]
    _call("StartTransientUnit", "ssa(sv)a(sa(sv))", unit, "fail", *words, "0")


def _call(method: str, signature: str, *words: str) -> None:
    """Raises OSError."""
    command = ["busctl", "--system", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1"]
    command += ["org.freedesktop.systemd1.Manager", method, signature, *words]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.CalledProcessError as error:
        raise OSError(error.stderr.strip()) from error
    except subprocess.TimeoutExpired as error:
        raise OSError("systemd does not answer") from error


def _until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + _SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def _first_line(path: str) -> str:
    try:
        with open(path) as file:
            return file.readline().strip()
    except OSError:
        return ""
