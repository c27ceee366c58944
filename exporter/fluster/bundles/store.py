"""BundleStore: `<state-dir>/bundles/<sha256>.zip` and the tree extracted from it, `<sha256>/`, read-only and shared.

Everything appears under its name by one rename; what a crash left half made lies in `tmp/` and is removed at the next start.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import anyio

from fluster.bundles.archive import extract, inspect
from fluster.config import Settings
from fluster.errors import BundleError, InfrastructureError, InvalidArgumentError, NotFoundError, PayloadTooLargeError
from fluster.masking import masked_start
from fluster.sizes import format_bytes

__all__ = ["BundleCounts", "BundleStore"]

_BLOCK: Final = 1024 * 1024


@dataclass(slots=True)
class BundleCounts:
    """For the collectors. `requests` by "hit" | "miss": was the extracted tree there?"""

    requests: Counter[str] = field(default_factory=Counter)
    evictions: int = 0
    cache_bytes: int | None = None


class BundleStore:
    """Keeps bundles by content."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self._root = root
        self._settings = settings
        self._threads = anyio.CapacityLimiter(8)
        self._locks: dict[str, anyio.Lock] = {}
        self.counts = BundleCounts()
        shutil.rmtree(root / "tmp", ignore_errors=True)
        (root / "tmp").mkdir(parents=True, mode=0o700)

    def has(self, sha256: str) -> bool:
        return _is_digest(sha256) and (self._root / f"{sha256}.zip").exists()

    async def put(self, chunks: AsyncIterator[bytes]) -> str:
        """Keep an upload; its SHA-256 in hex. Raises PayloadTooLargeError and InvalidArgumentError."""
        part = self._temporary()
        digest = hashlib.sha256()
        size = 0
        try:
            with part.open("wb") as file:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > self._settings.max_bundle_size:
                        raise PayloadTooLargeError(
                            f"bundle: it is larger than {format_bytes(self._settings.max_bundle_size)}; pack less, or raise --max-bundle-size"
                        )
                    digest.update(chunk)
                    await self._run(file.write, chunk)
            try:
                await self._run(self._inspect, part)
            except BundleError as error:
                raise InvalidArgumentError("bundle", str(error).removeprefix("bundle: ")) from error
            sha256 = digest.hexdigest()
            part.replace(self._root / f"{sha256}.zip")
        finally:
            part.unlink(missing_ok=True)
        return sha256

    async def fetch(self, address: str, sha256: str | None) -> str:
        """Download from any fsspec address; the content's SHA-256. Raises BundleError."""
        if sha256 and self.has(sha256):
            return sha256
        part = self._temporary()
        try:
            found: str = await self._run(self._download, address, part)
            if sha256 and found != sha256:
                raise BundleError(
                    f"bundle: {masked_start(address)} has the SHA-256 {found}, not {sha256}; it was changed"
                )
            part.replace(self._root / f"{found}.zip")
        finally:
            part.unlink(missing_ok=True)
        return found

    async def open(self, sha256: str) -> Path:
        """The extracted tree, read-only and shared. Raises BundleError, NotFoundError."""
        if not self.has(sha256):
            raise NotFoundError(
                f"bundle: there is none with the SHA-256 {sha256[:64]!r}; upload it by PUT /api/bundles"
            )
        tree = self._root / sha256
        async with self._locks.setdefault(sha256, anyio.Lock()):
            if tree.is_dir():
                self.counts.requests["hit"] += 1
            else:
                self.counts.requests["miss"] += 1
                await self._run(self._extract, sha256, tree)
            os.utime(tree)
        return tree

    async def copy_to(self, sha256: str, target: Path) -> None:
        """A writable tree of the job's own, into the existing directory `target`."""
        tree = await self.open(sha256)
        await self._run(_copy_tree, tree, target)

    async def evict(self, in_use: Collection[str]) -> None:
        """Remove the bundles that were not used for longest, until all fit; never one that a live job needs."""
        await self._run(self._evict, frozenset(in_use))

    async def _run(self, work: Any, *args: Any) -> Any:
        return await anyio.to_thread.run_sync(work, *args, limiter=self._threads)

    def _temporary(self) -> Path:
        return self._root / "tmp" / secrets.token_hex(8)

    def _inspect(self, archive: Path) -> None:
        inspect(archive, max_entries=self._settings.max_bundle_entries, max_expanded=self._settings.max_bundle_expanded)

    def _download(self, address: str, part: Path) -> str:
        import fsspec

        digest = hashlib.sha256()
        size = 0
        shown = masked_start(address)
        try:
            with fsspec.open(address, "rb") as source, part.open("wb") as file:
                while block := source.read(_BLOCK):
                    size += len(block)
                    if size > self._settings.max_bundle_size:
                        raise BundleError(  # counted while it is read
                            f"bundle: {shown} is larger than {format_bytes(self._settings.max_bundle_size)}; pack less, or raise --max-bundle-size"
                        )
                    digest.update(block)
                    file.write(block)
        except BundleError:
            raise
        except ImportError as error:
            raise BundleError(f"bundle: {shown} needs a driver that is not installed here: {_said(error)}") from error
        except FileNotFoundError as error:
            raise BundleError(f"bundle: there is nothing at {shown}") from error
        except OSError as error:
            if error.filename == str(part) or error.errno == 28:
                raise InfrastructureError(f"the bundle cannot be stored: {error.strerror}") from error
            raise BundleError(f"bundle: {shown} cannot be read: {_said(error)}") from error
        except Exception as error:  # each fsspec driver has errors of its own
            raise BundleError(f"bundle: {shown} cannot be fetched: {_said(error)}") from error
        return digest.hexdigest()

    def _extract(self, sha256: str, tree: Path) -> None:
        with self._lock_file(sha256):
            if tree.is_dir():
                return
            part = self._temporary()
            try:
                extract(
                    self._root / f"{sha256}.zip",
                    part,
                    max_entries=self._settings.max_bundle_entries,
                    max_expanded=self._settings.max_bundle_expanded,
                )
                part.rename(tree)
            except OSError as error:
                raise InfrastructureError(f"the bundle cannot be extracted: {error}") from error
            finally:
                shutil.rmtree(part, ignore_errors=True)

    @contextmanager
    def _lock_file(self, sha256: str) -> Iterator[None]:
        with (self._root / f"{sha256}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _evict(self, in_use: frozenset[str]) -> None:
        kept: list[tuple[float, int, str]] = []
        for archive in self._root.glob("*.zip"):
            tree = self._root / archive.stem
            size = archive.stat().st_size + sum(path.lstat().st_size for path in tree.rglob("*") if not path.is_dir())
            used = tree.stat().st_mtime if tree.exists() else archive.stat().st_mtime
            kept.append((used, size, archive.stem))
        total = sum(size for _, size, _ in kept)
        for _, size, sha256 in sorted(kept):
            if total <= self._settings.bundle_cache_limit:
                break
            if sha256 in in_use:
                continue
            (self._root / f"{sha256}.zip").unlink(missing_ok=True)
            shutil.rmtree(self._root / sha256, ignore_errors=True)
            (self._root / f"{sha256}.lock").unlink(missing_ok=True)
            self.counts.evictions += 1
            total -= size
        self.counts.cache_bytes = total


def _said(error: Exception) -> str:
    """Drivers repeat the address in their own words."""
    return masked_start(str(error))


def _copy_tree(tree: Path, target: Path) -> None:
    shutil.copytree(tree, target, symlinks=True, dirs_exist_ok=True)


def _is_digest(text: str) -> bool:
    return len(text) == 64 and all(letter in "0123456789abcdef" for letter in text)
