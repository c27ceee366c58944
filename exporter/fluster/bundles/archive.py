"""Extracting a zip file that nobody vouches for: nothing leaves the target, nothing grows beyond its limits. Blocking."""

from __future__ import annotations

import os
import posixpath
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, Final

from fluster.errors import BundleError
from fluster.sizes import format_bytes

__all__ = ["check_member", "extract", "inspect"]

_BLOCK: Final = 256 * 1024


def check_member(name: str) -> PurePosixPath:
    """The path of an entry, relative and inside. Raises BundleError naming the entry."""
    shown = name[:200]
    if "\0" in name or "\\" in name:
        raise BundleError(f"bundle: the entry {shown!r} has a NUL or a backslash in its name; use / between folders")
    path = PurePosixPath(name)
    if path.is_absolute() or name.startswith("/") or (len(name) > 1 and name[1] == ":"):
        raise BundleError(f"bundle: the entry {shown!r} has an absolute path; pack it relative to the workspace")
    if ".." in path.parts:
        raise BundleError(f"bundle: the entry {shown!r} leads out of the bundle; pack it without '..'")
    if any(len(part.encode("utf-8", "surrogatepass")) > 255 for part in path.parts):
        raise BundleError(f"bundle: the entry {shown!r} has a name longer than 255 bytes")
    return path


def inspect(archive: Path, *, max_entries: int, max_expanded: int) -> None:
    """Refuse what can be refused without extracting. Raises BundleError."""
    with _opened(archive) as bundle:
        _check_entries(bundle.infolist(), max_entries=max_entries, max_expanded=max_expanded)


def extract(archive: Path, target: Path, *, max_entries: int, max_expanded: int) -> None:
    """Extract into `target`, a new directory. Raises BundleError; the caller removes what is half made.

    Sizes are counted while they are written: what the archive says of itself is not believed.
    """
    target.mkdir()
    left = max_expanded
    with _opened(archive) as bundle:
        infos = bundle.infolist()
        _check_entries(infos, max_entries=max_entries, max_expanded=max_expanded)
        links: list[tuple[PurePosixPath, str]] = []
        for info in infos:
            path = check_member(info.filename)
            mode = info.external_attr >> 16
            place = target / path
            if info.is_dir():
                place.mkdir(parents=True, exist_ok=True)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                with bundle.open(info) as source:
                    if stat.S_ISLNK(mode):
                        links.append((path, source.read(4097).decode("utf-8", "surrogateescape")))
                    else:
                        left -= _copy(source, place, left, 0o755 if mode & 0o111 else 0o644)
            except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
                if isinstance(error, OSError) and error.errno:
                    raise
                raise BundleError(f"bundle: the entry {info.filename[:200]!r} is broken: {error}") from error
        for path, goal in links:
            _link(target, path, goal)


def _opened(archive: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(archive)
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        raise BundleError(f"bundle: it is not a zip file: {error}") from error


def _check_entries(infos: list[zipfile.ZipInfo], *, max_entries: int, max_expanded: int) -> None:
    if len(infos) > max_entries:
        raise BundleError(f"bundle: it has {len(infos)} entries, more than the {max_entries} that this worker takes")
    if sum(info.file_size for info in infos) > max_expanded:
        raise BundleError(_too_big(max_expanded))
    seen: set[str] = set()
    folders: set[str] = set()
    for info in infos:
        path = check_member(info.filename)
        mode = info.external_attr >> 16
        kind = stat.S_IFMT(mode)
        if kind not in {0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK}:
            raise BundleError(
                f"bundle: the entry {info.filename[:200]!r} is a device or a pipe; only files go into a bundle"
            )
        if info.flag_bits & 1:
            raise BundleError(f"bundle: the entry {info.filename[:200]!r} is encrypted; pack it without a password")
        if info.is_dir():
            continue
        if str(path) in seen or str(path) in folders or str(path) == ".":
            raise BundleError(f"bundle: the entry {info.filename[:200]!r} is there twice")
        seen.add(str(path))
        folders.update(str(parent) for parent in path.parents)
    if both := seen & folders:
        raise BundleError(f"bundle: {min(both)[:200]!r} is a file and a folder at once")


def _copy(source: IO[bytes], place: Path, left: int, mode: int) -> int:
    written = 0
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as file:
        while block := source.read(_BLOCK):
            written += len(block)
            if written > left:
                raise BundleError(_too_big(None))
            file.write(block)
    place.chmod(mode)
    return written


def _link(target: Path, path: PurePosixPath, goal: str) -> None:
    """Symbolic links come last, when no entry can be written through them any more."""
    resolved = posixpath.normpath(posixpath.join(str(path.parent), goal))
    if not goal or "\0" in goal or len(goal) > 4096 or goal.startswith("/") or resolved.split("/")[0] == "..":
        raise BundleError(f"bundle: the link {str(path)[:200]!r} leads out of the bundle")
    place = target / path
    try:
        place.symlink_to(goal)
    except FileExistsError:
        raise BundleError(f"bundle: the entry {str(path)[:200]!r} is there twice") from None
    # Through other links a harmless-looking path can still lead outside: ask the file system itself.
    if not place.resolve().is_relative_to(target.resolve()):
        raise BundleError(f"bundle: the link {str(path)[:200]!r} leads out of the bundle")


def _too_big(limit: int | None) -> str:
    shown = f" of {format_bytes(limit)}" if limit else ""
    return f"bundle: it expands beyond the limit{shown}; pack less, or raise --max-bundle-expanded"
