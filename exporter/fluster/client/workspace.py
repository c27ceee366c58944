"""A folder as a bundle: equal folders give equal bytes, so that a worker that has one needs no upload."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final, cast

from fluster.errors import InvalidArgumentError

__all__ = ["bundle_digest", "pack"]

_NEVER: Final = (
    ".git",
    ".hg",
    ".venv",
    "venv",
    "__pycache__",
    "node_modules",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    "*.pyc",
)
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def pack(folder: Path) -> IO[bytes]:
    """A zip of `folder` in a temporary file, at its beginning. `.flusterignore` holds one pattern a line.

    Raises InvalidArgumentError where it is no folder.
    """
    if not folder.is_dir():
        raise InvalidArgumentError("workspace", f"{folder} is not a folder")
    target = tempfile.TemporaryFile(prefix="fluster-bundle-")  # noqa: SIM115 # the caller closes it
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as bundle:
        for path in _members(folder, _patterns(folder)):
            name = path.relative_to(folder).as_posix()
            mode = path.lstat().st_mode
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3
            info.compress_type = zipfile.ZIP_DEFLATED
            if stat.S_ISLNK(mode):
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
                bundle.writestr(info, path.readlink().as_posix())
            else:
                info.external_attr = (stat.S_IFREG | (0o755 if mode & 0o111 else 0o644)) << 16
                with path.open("rb") as source, bundle.open(info, "w", force_zip64=True) as entry:
                    while block := source.read(1024 * 1024):
                        entry.write(block)
    target.seek(0)
    return target


def bundle_digest(bundle: IO[bytes]) -> str:
    """SHA-256 in hex; leaves the file at its beginning."""
    found = hashlib.file_digest(cast("Any", bundle), "sha256").hexdigest()
    bundle.seek(0)
    return found


def _patterns(folder: Path) -> tuple[str, ...]:
    ignore = folder / ".flusterignore"
    if not ignore.is_file():
        return _NEVER
    lines = (line.strip().rstrip("/") for line in ignore.read_text(encoding="utf-8").splitlines())
    return (*_NEVER, *(line for line in lines if line and not line.startswith("#")))


def _members(folder: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    for directory, names, files in os.walk(folder):
        names[:] = sorted(name for name in names if not _left_out(Path(directory) / name, folder, patterns))
        for name in sorted([*files, *(each for each in names if (Path(directory) / each).is_symlink())]):
            path = Path(directory) / name
            mode = path.lstat().st_mode
            if (stat.S_ISREG(mode) or stat.S_ISLNK(mode)) and not _left_out(path, folder, patterns):
                yield path


def _left_out(path: Path, folder: Path, patterns: tuple[str, ...]) -> bool:
    whole = path.relative_to(folder).as_posix()
    return any(fnmatch.fnmatch(path.name, pattern) or fnmatch.fnmatch(whole, pattern) for pattern in patterns)
