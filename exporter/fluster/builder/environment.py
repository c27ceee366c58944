"""EnvironmentBuilder: virtual environments for the process runtime, by uv, in `<cache-dir>/environments/<key>`.

An environment is made at its final place (it cannot be moved) under a lock, and counts only once its mark is there: what a killed
build left is removed by the next one. The mark's time is the last use.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import anyio

from fluster.builder.contract import Builder, BuilderCounts, BuildRequest, BuiltEnvironment
from fluster.builder.plan import Plan, digest, make_plan, tree_parts
from fluster.builder.uv import install_commands, run_uv
from fluster.config import Settings
from fluster.cri import CriWriter
from fluster.errors import BuildError, InfrastructureError, StartError
from fluster.masking import masked_start

__all__ = ["EnvironmentBuilder"]

_MARK: Final = ".complete"
_LOCK_SECONDS: Final = 0.05


class EnvironmentBuilder(Builder):
    """Environments are shared by all workers that have the same --cache-dir."""

    def __init__(self, settings: Settings) -> None:
        self._root = settings.cache_dir / "environments"
        self._uv_cache = settings.cache_dir / "uv"
        self._limit = settings.environment_cache_limit
        self._threads = anyio.CapacityLimiter(4)
        self._locks: dict[str, anyio.Lock] = {}
        self.counts = BuilderCounts()

    async def build(self, request: BuildRequest, log: CriWriter) -> BuiltEnvironment:
        plan: Plan = await self._run(make_plan, request.source, request.environment)
        if plan.dockerfile:
            log.line("the bundle's Dockerfile is left aside: it is for the docker runtime")
        if request.environment.base_image:
            log.line(
                f"the image {masked_start(request.environment.base_image)} is left aside: it is for the docker runtime"
            )
        if request.limits.memory_bytes or request.limits.cpu_millicores:
            log.line("limits of the build are not enforced by the process runtime")
        python = request.environment.python_version or f"{sys.version_info.major}.{sys.version_info.minor}"
        key = f"py{python}-{(await self._run(_key, plan, request, python))[:32]}"
        place = self._root / key
        try:
            async with self._locks.setdefault(key, anyio.Lock()), self._lock_file(key):
                cached = (place / _MARK).exists()
                self.counts.requests["hit" if cached else "miss"] += 1
                if cached:
                    log.line(f"environment {key} is there already: nothing to build")
                    os.utime(place / _MARK)
                else:
                    await self._make(place, plan, request, python, log)
                self.counts.builds["cached" if cached else "built"] += 1
        except OSError as error:
            self.counts.builds["failed"] += 1
            raise InfrastructureError(f"the environment cannot be stored: {error}") from error
        except BuildError:
            self.counts.builds["failed"] += 1
            raise
        if request.needs_python:
            _check_python(place, request.environment.python_version)
        return BuiltEnvironment(
            tag=key,
            from_cache=cached,
            env_vars={
                "PATH": f"{place}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "VIRTUAL_ENV": str(place),
            },
            python=str(place / "bin/python"),
        )

    async def evict(self, in_use: Collection[str]) -> None:
        await self._run(self._evict, frozenset(in_use))

    async def _make(self, place: Path, plan: Plan, request: BuildRequest, python: str, log: CriWriter) -> None:
        await self._run(_remove, place)
        variables = {
            "UV_CACHE_DIR": str(self._uv_cache),
            "UV_PROJECT_ENVIRONMENT": str(place),
            "VIRTUAL_ENV": str(place),
        }
        wanted = request.environment.python_version or _base_python()
        with tempfile.TemporaryDirectory(prefix="fluster-build-") as directory:
            cwd = Path(directory)
            for name in plan.dependency_files:
                if request.source is not None:
                    await self._run(shutil.copyfile, request.source / name, cwd / name)
            project = ""
            if plan.installs_project and request.source is not None:
                # A build writes into its sources: it gets a copy.
                project = str(cwd / "source")
                await self._run(_copy_tree, request.source, project)
            log.line(f"building environment {place.name}")
            try:
                await run_uv(
                    ["venv", "--no-project", "--python", wanted, str(place)], cwd=cwd, variables=variables, log=log
                )
            except BuildError as error:
                raise BuildError(f"there is no Python {python} for this job, and none can be had: {error}") from error
            for arguments in install_commands(plan, python=str(place), project=project):
                await run_uv(arguments, cwd=cwd, variables=variables, log=log)
        (place / _MARK).touch()

    @asynccontextmanager
    async def _lock_file(self, key: str) -> AsyncIterator[None]:
        """Waits for other processes that build the same, without a thread."""
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / f"{key}.lock").open("w") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    await anyio.sleep(_LOCK_SECONDS)
            yield

    async def _run(self, work: Any, *args: Any) -> Any:
        return await anyio.to_thread.run_sync(work, *args, limiter=self._threads)

    def _evict(self, in_use: frozenset[str]) -> None:
        kept = [(mark.stat().st_mtime, _size(mark.parent), mark.parent) for mark in self._root.glob(f"*/{_MARK}")]
        total = sum(size for _, size, _ in kept)
        for _, size, place in sorted(kept):
            if total <= self._limit:
                break
            if place.name not in in_use:
                _remove(place)
                self.counts.evictions += 1
                total -= size
        self.counts.cache_bytes = total


def _key(plan: Plan, request: BuildRequest, python: str) -> str:
    parts = [
        python,
        _base_python() if request.environment.python_version is None else "",
        # Counted, so that an extra and a package of one name are not mixed up.
        str(len(plan.extras)),
        *plan.extras,
        *plan.packages,
    ]
    if request.source is not None:
        for name in plan.dependency_files:
            parts += [name, (request.source / name).read_text(encoding="utf-8", errors="surrogateescape")]
        if plan.installs_project:
            parts += ["project", *tree_parts(request.source)]
    return digest(*parts)


def _base_python() -> str:
    """The interpreter below the worker's own virtual environment: jobs do not see the worker's packages."""
    return str(Path(getattr(sys, "_base_executable", sys.executable)).resolve())


def _check_python(place: Path, wanted: str | None) -> None:
    """A pickled call loads only in the Python that pickled it."""
    have = ""
    for line in (place / "pyvenv.cfg").read_text().splitlines():
        name, _, value = line.partition("=")
        if name.strip() in {"version", "version_info"}:
            have = ".".join(value.strip().split(".")[:2])
    if wanted and have and have != ".".join(wanted.split(".")[:2]):
        raise StartError(
            f"the call was pickled with Python {wanted}, the job would run Python {have}; submit it with the same Python"
        )


def _copy_tree(source: Path, target: str) -> None:
    shutil.copytree(source, target, symlinks=True)


def _remove(place: Path) -> None:
    (place / _MARK).unlink(missing_ok=True)
    shutil.rmtree(place, ignore_errors=True)


def _size(place: Path) -> int:
    total = 0
    for directory, _, names in os.walk(place):
        for name in names:
            total += (Path(directory) / name).lstat().st_size
    return total
