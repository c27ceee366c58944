"""ProcessRuntime: starts a supervisor process per job and talks to it through files, a FIFO and a pidfd."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import anyio
from loguru import logger

from fluster import shim
from fluster.cgroup import Bounds, CgroupReader, Hierarchy, JobCgroup, find_hierarchy
from fluster.cgroup.hierarchy import NotOurs
from fluster.cgroup.quiet import MemoryWatch
from fluster.errors import InfrastructureError, StartError
from fluster.gpu import Gpu, visible_devices
from fluster.job import Figures, Limits, Source
from fluster.runtime.capacity import check_capacity, check_enforced
from fluster.runtime.cgroup_figures import CgroupFiguresReader
from fluster.runtime.contract import (
    Execution,
    ExecutionLostError,
    ExecutionSpec,
    ExitResult,
    FiguresReader,
    Runtime,
    RuntimeInfo,
)
from fluster.runtime.log_counts import job_log_counts
from fluster.runtime.operations import Operations
from fluster.runtime.process.figures import ProcReader, final_figures
from fluster.shim.kin import marked, start_ticks

__all__ = ["ProcessRuntime"]

_LIMITS: Final = ("cpu", "memory", "processes")
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BOOT: Final = "import sys; sys.path.insert(0, sys.argv.pop(1)); from fluster.shim.main import main; sys.exit(main(sys.argv[1], int(sys.argv[2])))"  # fmt: skip


class ProcessRuntime(Runtime):
    """`work_dir` is where the workspaces of this worker's jobs are; `use_cgroups=False` is for machines that have none.

    `open_files` is the soft limit of open files that jobs get, where it is not to be the worker's own.
    """

    uses_source_tree = True

    def __init__(
        self,
        worker_id: str,
        work_dir: Path,
        *,
        use_cgroups: bool = True,
        gpus: Sequence[Gpu] = (),
        open_files: int | None = None,
    ) -> None:
        self._worker_id = worker_id
        self._work_dir = work_dir
        self._use_cgroups = use_cgroups
        self._open_files = open_files
        self.gpus = tuple(gpus)
        self._hierarchy: Hierarchy | None = None
        self._memory: MemoryWatch | None = None
        self._readers: dict[str, CgroupFiguresReader | ProcReader] = {}
        self._threads = anyio.CapacityLimiter(16)
        self.operations = Operations("start", "stop", "remove")
        self.orphans_removed = 0
        self.info = RuntimeInfo(name="process")

    async def open(self) -> None:
        notes: list[str] = []
        if self._use_cgroups:
            try:
                self._hierarchy = find_hierarchy(self._worker_id)
                self._memory = MemoryWatch(self._hierarchy)
            except NotOurs as error:
                notes.append(str(error))
        if self._hierarchy is None:
            notes.append(
                "without cgroups memory is limited for each process of a job alone (RLIMIT_AS), jobs with a limit of CPU or of "
                "processes are refused, and figures are sampled"
            )
            enforced: tuple[str, ...] = ()
        else:
            enforced = self._hierarchy.enforces()
            notes += [
                f"this kernel does not limit {each}: jobs with such a limit are refused"
                for each in _LIMITS
                if each not in enforced
            ]
        if self.gpus:
            notes.append("GPUs are assigned by CUDA_VISIBLE_DEVICES: a job that sets it anew can use those of others")
        version = self._hierarchy.version if self._hierarchy else None
        self.info = RuntimeInfo(
            name="process",
            cgroup_version=version,
            figures=Source.KERNEL if self._hierarchy else Source.SAMPLED,
            enforced=(*enforced, "disk"),
            notes=tuple(notes),
        )

    async def close(self) -> None:
        """Supervisor processes go on by themselves."""
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()
        if self._memory is not None:
            self._memory.close()
        if self._hierarchy is not None:
            self._hierarchy.release()

    async def ping(self) -> None:
        """There is no engine that could be away."""

    def check(self, limits: Limits) -> None:
        check_capacity(limits, gpus=self.gpus)
        # A limit of memory holds without cgroups, too, as far as it goes: for each process. The notes say so.
        by_rlimit = () if self._hierarchy else ("memory",)
        check_enforced(limits, (*self.info.enforced, *by_rlimit), "without its cgroup controller this machine")

    async def start(self, spec: ExecutionSpec) -> Execution:
        with self.operations.observe("start"):
            # Not abandoned on cancellation: the caller gets the execution and ends it, nothing is left half started.
            return await anyio.to_thread.run_sync(self._start, spec, limiter=self._threads)

    async def wait(self, execution: Execution) -> ExitResult:
        control = execution.spec.workspace.control
        pid, ticks = _parse_handle(execution.handle)
        await _gone(pid, ticks)
        return await anyio.to_thread.run_sync(self._collect, execution, control, limiter=self._threads)

    async def stop(self, execution: Execution, grace_seconds: float) -> None:
        with self.operations.observe("stop"):
            try:
                fifo = os.open(execution.spec.workspace.control / "stop", os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                return  # its supervisor is gone, and so is the job: wait() tells
            try:
                os.write(fifo, f"stop {grace_seconds}\n".encode())
            except OSError as error:
                raise InfrastructureError(f"the job's supervisor does not listen: {error.strerror}") from error
            finally:
                os.close(fifo)

    def reader(self, execution: Execution) -> FiguresReader:
        reader = self._readers.get(execution.job_id)
        if reader is None:
            group = JobCgroup(self._hierarchy, execution.job_id) if self._hierarchy else None
            if group is None or not group.exists():  # an earlier worker that had no cgroups may have started it
                reader = ProcReader(*_parse_handle(execution.handle))
            else:
                reader = CgroupFiguresReader(CgroupReader(group))
            self._readers[execution.job_id] = reader
        return reader

    def memory_changed(self) -> bool:
        return self._memory is None or self._memory.changed()

    async def remove(self, execution: Execution) -> None:
        with self.operations.observe("remove"):
            await anyio.to_thread.run_sync(
                self._remove,
                execution.job_id,
                execution.spec.workspace.control,
                abandon_on_cancel=True,  # whoever has no time to wait leaves it to itself
                limiter=self._threads,
            )

    async def recover(self, specs: dict[str, ExecutionSpec], handles: dict[str, str]) -> dict[str, Execution]:
        return await anyio.to_thread.run_sync(self._recover, specs, handles, limiter=self._threads)

    # In threads

    def _start(self, spec: ExecutionSpec) -> Execution:
        control = spec.workspace.control
        shutil.rmtree(control, ignore_errors=True)
        control.mkdir(mode=0o700)
        group = JobCgroup(self._hierarchy, spec.job_id) if self._hierarchy else None
        try:
            if group is not None:
                group.create(_bounds(spec.limits))
            _write_private(control / "spec.json", self._document(spec, group))
            answer, pid = self._launch(control)
            if "started_ns" in answer:
                return Execution(
                    job_id=spec.job_id,
                    handle=f"{answer['pid']}:{answer['ticks']}",
                    started_ns=answer["started_ns"],
                    spec=spec,
                )
            os.waitpid(pid, 0)
            if "refused" in answer:
                raise StartError(answer["refused"])
            raise InfrastructureError(f"the job's supervisor could not start it: {answer.get('failed', 'it died')}")
        except OSError as error:
            self._remove(spec.job_id, control)
            raise InfrastructureError(f"the job could not be started: {error}") from error
        except (StartError, InfrastructureError):
            self._remove(spec.job_id, control)
            raise

    def _document(self, spec: ExecutionSpec, group: JobCgroup | None) -> dict[str, Any]:
        limits = spec.limits
        rlimits = {"RLIMIT_AS": limits.memory_bytes} if group is None and limits.memory_bytes else {}
        # Without any GPU here nothing is assigned, and a variable of the request's own keeps its meaning.
        devices = visible_devices(spec.gpus) if self.gpus else {}
        return {
            "job_id": spec.job_id,
            "command": spec.command,
            "env": {"PATH": _PATH, "HOME": str(spec.workspace.source), "LANG": "C.UTF-8", **spec.env, **devices},
            "cwd": str(spec.workspace.source),
            "log_path": str(spec.log_path),
            "log_bounds": spec.log_bounds._asdict(),
            "cgroup": self._hierarchy._asdict() if self._hierarchy else None,
            "procs_files": group.procs_files() if group else [],
            "rlimits": rlimits,
            "open_files": self._open_files,
        }

    def _launch(self, control: Path) -> tuple[dict[str, Any], int]:
        """Start the supervisor process; its first answer and its pid."""
        package_root = str(Path(shim.__file__).parents[2])
        ready_read, ready_write = os.pipe()
        with (control / "supervisor.err").open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _BOOT, package_root, str(control), str(ready_write)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                pass_fds=(ready_write,),
                start_new_session=True,
                cwd="/",
                env={},
            )
        os.close(ready_write)
        with os.fdopen(ready_read, "rb") as ready:
            line = ready.readline()
        process.returncode = 0  # reaped by _collect: Popen must neither wait for it nor complain
        answer = json.loads(line) if line else {"failed": (control / "supervisor.err").read_text()[-500:]}
        return answer, process.pid

    def _collect(self, execution: Execution, control: Path) -> ExitResult:
        pid, _ = _parse_handle(execution.handle)
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass  # started by a former worker
        logs = job_log_counts(execution.spec.log_path)
        try:
            document = json.loads((control / "exit.json").read_text())
        except FileNotFoundError:
            self._put_down(execution.job_id)
            raise ExecutionLostError(
                "the job's supervisor process was killed, and the job with it; its exit code is lost",
                self._last_figures(execution),
            ) from None
        return ExitResult(
            exit_code=document["exit_code"],
            finished_ns=document["finished_ns"],
            oom_killed=document["oom_killed"],
            figures=final_figures(document),
            logs=logs,
        )

    def _last_figures(self, execution: Execution) -> Figures:
        """Of a job that lost its supervisor and was put down: its cgroup still has the account; without one, what was sampled."""
        reader = self.reader(execution)
        if isinstance(reader, CgroupFiguresReader):
            reader.sample_last()
        return reader.figures()

    def _put_down(self, job_id: str) -> None:
        """Kill what lost its supervisor."""
        if self._hierarchy:
            JobCgroup(self._hierarchy, job_id).kill()
        for pid in marked(job_id, self._worker_id):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def _remove(self, job_id: str, control: Path) -> None:
        reader = self._readers.pop(job_id, None)
        if reader is not None:
            reader.close()
        try:
            if self._hierarchy:
                group = JobCgroup(self._hierarchy, job_id)
                group.kill()
                group.remove()
        except OSError as error:
            raise InfrastructureError(f"the job's cgroup could not be removed: {error}") from error
        shutil.rmtree(control, ignore_errors=True)

    def _recover(self, specs: dict[str, ExecutionSpec], handles: dict[str, str]) -> dict[str, Execution]:
        found: dict[str, Execution] = {}
        for job_id, spec in specs.items():
            try:
                start = json.loads((spec.workspace.control / "start.json").read_text())
            except (OSError, ValueError):
                continue
            found[job_id] = Execution(
                job_id=job_id,
                handle=f"{start['pid']}:{start['ticks']}",
                started_ns=start["started_ns"],
                spec=spec,
                lost=start_ticks(start["pid"]) != start["ticks"]
                and not (spec.workspace.control / "exit.json").exists(),
            )
        leftovers = {path.parents[1].name for path in self._work_dir.glob("*/control/start.json")}
        if self._hierarchy:
            leftovers |= self._hierarchy.job_ids()
        for job_id in (leftovers & specs.keys() & handles.keys()) - found.keys():
            # Its control files are lost, its cgroup is there.
            found[job_id] = Execution(
                job_id=job_id, handle=handles[job_id], started_ns=0, spec=specs[job_id], lost=True
            )
        for job_id in leftovers - found.keys():
            logger.warning("job {} is a leftover that this worker knows nothing of: it is ended and removed", job_id)
            self._put_down(job_id)
            self._remove(job_id, self._work_dir / job_id / "control")
            self.orphans_removed += 1
        return found


async def _gone(pid: int, ticks: int) -> None:
    """Returns once the process that `pid` named at `ticks` is dead."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if start_ticks(pid) != ticks:
            return  # a zombie, or another process under the same number
        loop, dead = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(descriptor, dead.set)
        try:
            await dead.wait()
        finally:
            loop.remove_reader(descriptor)
    finally:
        os.close(descriptor)


def _parse_handle(handle: str) -> tuple[int, int]:
    pid, _, ticks = handle.partition(":")
    return int(pid), int(ticks)


def _bounds(limits: Limits) -> Bounds:
    return Bounds(limits.memory_bytes, limits.cpu_millicores, limits.max_processes)


def _write_private(path: Path, document: dict[str, Any]) -> None:
    """The environment of a job may hold secrets: the file is its owner's alone."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(document, file)
