"""The list of a job's output files, as REST and the job page show it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, Final

__all__ = ["listed_output"]

_MAX_LISTED: Final = 10_000


def listed_output(output: Path) -> list[dict[str, Any]]:
    """Path, size and time of each regular file, in order. Blocking; links are not followed."""
    found: list[dict[str, Any]] = []
    if output.is_symlink():
        return found
    for directory, names, files in os.walk(output):
        names.sort()
        for name in sorted(files):
            path = Path(directory) / name
            try:
                facts = path.lstat()
            except OSError:
                continue
            if stat.S_ISREG(facts.st_mode):
                found.append(
                    {
                        "path": os.fsencode(path.relative_to(output)).decode("utf-8", "replace"),
                        "size": facts.st_size,
                        "modified_at": facts.st_mtime_ns // 1_000_000,
                    }
                )
            if len(found) == _MAX_LISTED:
                return found
    return found
