"""How much disk a few directories take: allocated blocks, hard links once, never across symbolic links."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

__all__ = ["disk_usage"]


def disk_usage(paths: Iterable[Path], *, budget_seconds: float | None = None) -> int | None:
    """Bytes; None where the walk did not end within its budget. What vanishes meanwhile counts nothing."""
    deadline = None if budget_seconds is None else time.monotonic() + budget_seconds
    seen: set[tuple[int, int]] = set()
    total = 0
    todo = [os.fspath(path) for path in paths]
    while todo:
        if deadline is not None and time.monotonic() > deadline:
            return None
        try:
            with os.scandir(todo.pop()) as entries:
                for entry in entries:
                    facts = entry.stat(follow_symlinks=False)
                    if facts.st_nlink > 1 and not entry.is_dir(follow_symlinks=False):
                        if (facts.st_dev, facts.st_ino) in seen:
                            continue
                        seen.add((facts.st_dev, facts.st_ino))
                    total += facts.st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(entry.path)
        except OSError:
            continue
    return total
