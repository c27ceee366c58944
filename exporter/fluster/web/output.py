"""The list of a job's output files, as REST and the job page show it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import anyio

from fluster.job import Job

__all__ = ["OutputListing", "OutputLists", "listed_output"]

_MAX_SEEN: Final = 10_000
"""Entries of any kind that are looked at: about 50 ms."""
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_JOBS: Final = 32
_SECONDS: Final = 5.0
_SHARE: Final = 100
"""A listing of a job that runs is not made again before this many times what it took."""


@dataclass(frozen=True, slots=True)
class OutputListing:
    files: list[dict[str, Any]] = field(default_factory=list)
    complete: bool = True
    """False where there was more to look at."""


def listed_output(output: Path) -> OutputListing:
    """Path, size and time of each regular file, a folder's files before its folders, in order. Blocking; links are not followed."""
    found: list[tuple[list[tuple[bool, str]], dict[str, Any]]] = []
    seen = 0
    todo: list[list[str]] = [[]]
    while todo:
        folder = todo.pop()
        try:
            descriptor = os.open(output.joinpath(*folder), _DIRECTORY)
        except OSError:
            continue  # gone, or a link by now
        try:
            with os.scandir(descriptor) as entries:
                for entry in entries:
                    if seen == _MAX_SEEN:
                        return OutputListing(_in_order(found), complete=False)
                    seen += 1
                    if entry.is_dir(follow_symlinks=False):
                        todo.append([*folder, entry.name])
                    elif entry.is_file(follow_symlinks=False):
                        place = [*((True, name) for name in folder), (False, entry.name)]
                        found.append((place, _document("/".join([*folder, entry.name]), entry)))
        except OSError:
            continue
        finally:
            os.close(descriptor)
    return OutputListing(_in_order(found))


def _in_order(found: list[tuple[list[tuple[bool, str]], dict[str, Any]]]) -> list[dict[str, Any]]:
    return [document for _, document in sorted(found, key=lambda each: each[0])]


def _document(path: str, entry: os.DirEntry[str]) -> dict[str, Any]:
    facts, name = entry.stat(follow_symlinks=False), os.fsencode(path)
    return {
        "path": name.decode("utf-8", "replace"),
        "quoted_path": quote(name),
        "size": facts.st_size,
        "modified_at": facts.st_mtime_ns // 1_000_000,
    }


class _Kept:
    def __init__(self) -> None:
        self.lock = anyio.Lock()
        self.listing = OutputListing()
        self.again_at = 0.0
        self.over: bool | None = None
        """Whether the job was over when it was listed; None before the first time."""

    def stale(self, *, over: bool) -> bool:
        return self.over is None or over > self.over or (not over and time.monotonic() >= self.again_at)


class OutputLists:
    """One listing for all who look at a job: made again after a while, and once the job is over."""

    def __init__(self, work: Path, threads: anyio.CapacityLimiter) -> None:
        self._work = work
        self._threads = threads
        self._kept: dict[tuple[str, int], _Kept] = {}
        """By id and time of submission; what was read last stands last."""

    async def get(self, job: Job) -> OutputListing:
        if job.run_started_ns is None:
            return OutputListing()
        key, over = (job.id, job.submitted_ns), job.state.terminal
        kept = self._kept[key] = self._kept.pop(key) if key in self._kept else _Kept()
        while len(self._kept) > _JOBS:
            del self._kept[next(iter(self._kept))]
        if kept.stale(over=over):
            async with kept.lock:
                if kept.stale(over=over):  # whoever waited finds what the first one made
                    began = time.monotonic()
                    output = self._work / job.id / "output"
                    kept.listing = await anyio.to_thread.run_sync(listed_output, output, limiter=self._threads)
                    kept.over, ended = over, time.monotonic()
                    kept.again_at = ended + max(_SECONDS, (ended - began) * _SHARE)
        return kept.listing
