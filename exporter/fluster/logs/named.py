"""Names for the agents that ship logs: `<root>/.named/<job_id>=<name>` leads to the job's directory.

An agent learns from a path what neither the path of the log nor its lines say: the job's name. The links of jobs that ended a day ago go,
so that an agent does not keep files open for ever.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

__all__ = ["Named"]

KEEP_SECONDS: Final = 86400.0
_LONGEST: Final = 255
"""Of a file name, in bytes."""


class Named:
    def __init__(self, root: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._root = root
        self._links = root / ".named"
        self._clock = clock

    def add(self, job_id: str, name: str) -> None:
        """Idempotent. Raises OSError."""
        self._links.mkdir(parents=True, exist_ok=True)
        link = self._links / _link_name(job_id, name)
        if not link.is_symlink():
            link.symlink_to(Path("..") / job_id)

    def tend(self, live: Collection[str]) -> None:
        """Remove those of jobs that are not there any more, or ended a day ago. Raises OSError."""
        try:
            links = os.listdir(self._links)
        except FileNotFoundError:
            return
        for link in links:
            job_id = link.partition("=")[0]
            if job_id not in live and self._written(job_id) + KEEP_SECONDS <= self._clock():
                (self._links / link).unlink(missing_ok=True)

    def _written(self, job_id: str) -> float:
        """When a line of the job was written last; long ago where there is none any more."""
        for name in ("job.log", "build.log"):
            try:
                return (self._root / job_id / name).stat().st_mtime
            except FileNotFoundError:
                continue
        return 0.0


def _link_name(job_id: str, name: str) -> str:
    shown = "".join(each if each.isprintable() and each != "/" else "_" for each in name)
    whole = f"{job_id}={shown}".encode()[:_LONGEST]
    return whole.decode("utf-8", "ignore")
