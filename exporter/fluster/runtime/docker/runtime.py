"""DockerRuntime: containers below cgroups of the worker's own, their logs taken by Capture, their end confirmed by the engine."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import anyio
import docker
import docker.errors

from fluster.cgroup import Bounds, CgroupReader, Hierarchy, JobCgroup, Lookout, MemoryWatch, find_hierarchy
from fluster.cgroup.hierarchy import NotOurs, release
from fluster.errors import EngineUnavailableError, InfrastructureError, JobError, StartError, UnschedulableError
from fluster.gpu import Gpu
from fluster.job import Figures, Limits, Source
from fluster.runtime.capacity import check_capacity
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
from fluster.runtime.docker.account import ContainerAccount
from fluster.runtime.docker.capture import Capture
from fluster.runtime.docker.client import Gone, connect, is_remote, translated
from fluster.runtime.docker.convert import (
    CALL_PATH,
    JOB_LABEL,
    OUTPUT_PATH,
    WORK_PATH,
    WORKER_LABEL,
    container_name,
    create_arguments,
    engine_time,
    host_config,
)
from fluster.runtime.docker.network import network_of, watched_network
from fluster.runtime.docker.statistics import StatisticsReader
from fluster.runtime.log_counts import job_log_counts
from fluster.runtime.operations import Operations

__all__ = ["DockerRuntime"]

T = TypeVar("T")


class DockerRuntime(Runtime):
    """`base_url` None is DOCKER_HOST or the default socket. `use_cgroups=False` leaves limits and figures to the engine."""

    uses_source_tree = False
    work_path = WORK_PATH
    output_path = OUTPUT_PATH
    call_path = CALL_PATH

    def __init__(
        self, worker_id: str, *, base_url: str | None = None, use_cgroups: bool = True, gpus: Sequence[Gpu] = ()
    ) -> None:
        self._worker_id = worker_id
        self._base_url = base_url
        self._use_cgroups = use_cgroups
        self.gpus = tuple(gpus)
        self._client: docker.APIClient
        self._engine: dict[str, Any] = {}
        self._hierarchy: Hierarchy | None = None
        self._lookout: Lookout | None = None
        self._memory: MemoryWatch | None = None
        self._threads = anyio.CapacityLimiter(32)
        self._pings = anyio.CapacityLimiter(1)
        self._captures: dict[str, Capture] = {}
        self._accounts: dict[str, ContainerAccount | StatisticsReader] = {}
        self._kills: dict[str, threading.Timer] = {}
        self._killed: set[str] = set()
        self.operations = Operations()
        self.orphans_removed = 0
        self.info = RuntimeInfo(name="docker")

    async def open(self) -> None:
        await anyio.to_thread.run_sync(self._open, limiter=self._threads)

    async def close(self) -> None:
        for capture in self._captures.values():
            capture.close()
        for timer in self._kills.values():
            timer.cancel()
        for account in self._accounts.values():
            account.close()
        self._captures.clear()
        self._kills.clear()
        self._accounts.clear()
        if self._lookout is not None:
            self._lookout.close()
        if self._memory is not None:
            self._memory.close()
        if self._hierarchy is not None:
            release(self._hierarchy)
        self._client.close()

    async def ping(self) -> None:
        def work() -> None:
            with self.operations.observe("ping"), translated("reach the engine"):
                self._client.ping()

        # A thread of its own: many busy ones must not make the engine look away.
        await anyio.to_thread.run_sync(work, limiter=self._pings)

    def check(self, limits: Limits) -> None:
        check_capacity(limits, gpus=self.gpus, cpus=self._engine.get("NCPU"), memory_bytes=self._engine.get("MemTotal"))
        if self._hierarchy is not None:
            return
        for field, value, flag in (
            ("memory", limits.memory_bytes, "MemoryLimit"),
            ("processes", limits.max_processes, "PidsLimit"),
            ("cpus", limits.cpu_millicores, "CpuCfsQuota"),
        ):
            if value and not self._engine.get(flag):
                raise UnschedulableError(f"{field}: the engine would silently ignore this limit; leave it out")

    async def start(self, spec: ExecutionSpec) -> Execution:
        with self.operations.observe("start"):
            # Not abandoned on cancellation: the caller gets the execution and ends it, nothing is left half started.
            execution = await self._run(self._start, spec)
        self._captures[spec.job_id] = self._capture(execution)
        return execution

    async def wait(self, execution: Execution) -> ExitResult:
        capture = self._captures.get(execution.job_id)
        if capture is None:
            capture = self._captures[execution.job_id] = self._capture(execution)
        try:
            await capture.ended()
            return await self._run(self._collect, execution)
        except InfrastructureError as error:
            raise ExecutionLostError(str(error), await self._run(self._last_figures, execution)) from error

    async def stop(self, execution: Execution, grace_seconds: float) -> None:
        with self.operations.observe("stop"):
            await self._run(self._stop, execution, grace_seconds)

    def reader(self, execution: Execution) -> FiguresReader:
        return self._accounts[execution.job_id]

    def memory_changed(self) -> bool:
        return self._memory is None or self._memory.changed()

    def disk_paths(self, execution: Execution) -> list[Path]:
        """The output directory, and the container's writable layer where this worker may read it."""
        paths = [execution.spec.workspace.output]
        try:
            with translated("inspect the container"):
                layer = self._client.inspect_container(execution.handle).get("GraphDriver", {}).get("Data") or {}
        except (Gone, JobError):
            return paths
        upper = layer.get("UpperDir")
        return [*paths, Path(upper)] if upper and os.access(upper, os.R_OK | os.X_OK) else paths

    async def remove(self, execution: Execution) -> None:
        with self.operations.observe("remove"):
            capture = self._captures.pop(execution.job_id, None)
            if capture is not None:
                capture.close()
            await self._run(self._remove, execution.job_id, execution.handle)

    async def recover(self, specs: dict[str, ExecutionSpec], handles: dict[str, str]) -> dict[str, Execution]:
        with self.operations.observe("recover"):
            found: dict[str, Execution] = await self._run(self._recover, specs, handles)
        for execution in found.values():
            self._captures[execution.job_id] = self._capture(execution)
        return found

    def _capture(self, execution: Execution) -> Capture:
        spec = execution.spec
        return Capture(self._client, execution.handle, spec.log_path, max_line_bytes=spec.max_line_bytes)

    async def _run(self, work: Callable[..., T], *args: Any) -> T:
        return await anyio.to_thread.run_sync(work, *args, limiter=self._threads)

    # In threads

    def _open(self) -> None:
        self._client = connect(self._base_url)
        with translated("ask the engine what it is"):
            self._engine = self._client.info()
        notes: list[str] = []
        if not self._use_cgroups:
            notes.append("cgroups of the worker's own are switched off")
        elif is_remote(self._client):
            notes.append("the engine is not on this machine")
        elif self._engine.get("CgroupDriver") != "cgroupfs":
            notes.append(f"the engine's cgroup driver is {self._engine.get('CgroupDriver')}, not cgroupfs")
        elif self._engine.get("SecurityOptions") and "name=rootless" in self._engine["SecurityOptions"]:
            notes.append("the engine is rootless")
        else:
            try:
                self._hierarchy = find_hierarchy(self._worker_id)
                self._lookout = Lookout()
                self._memory = MemoryWatch(self._hierarchy)
            except NotOurs as error:
                notes.append(str(error))
        if self._hierarchy is None:
            notes.append("figures are the engine's statistics, sampled; limits are the engine's")
        else:
            notes.clear()
        if self.gpus and is_remote(self._client):
            self.gpus = ()
            notes.append("the engine is not on this machine: the GPUs that are here cannot be passed to its containers")
        flags = {"memory": "MemoryLimit", "processes": "PidsLimit", "cpu": "CpuCfsQuota"}
        enforced = [name for name, flag in flags.items() if self._hierarchy or self._engine.get(flag)]
        self.info = RuntimeInfo(
            name="docker",
            engine_version=str(self._engine.get("ServerVersion", "")),
            cgroup_version=int(self._engine.get("CgroupVersion") or 1),
            figures=Source.KERNEL if self._hierarchy else Source.SAMPLED,
            enforced=(*enforced, "disk", *(("gpus",) if self.gpus else ())),
            notes=tuple(notes),
        )

    def _start(self, spec: ExecutionSpec) -> Execution:
        group = JobCgroup(self._hierarchy, spec.job_id) if self._hierarchy else None
        limits = spec.limits
        container = ""
        try:
            spec.workspace.output.chmod(
                0o777
            )  # the image's user writes there; the directory above is the worker's alone
            if group is not None:
                group.create(Bounds(limits.memory_bytes, limits.cpu_millicores, limits.max_processes))
                cgroup = CgroupFiguresReader(CgroupReader(group, self._lookout))
                account = ContainerAccount(cgroup)
                self._accounts[spec.job_id] = account
            with translated("create the container"):
                container = self._create(spec, group)
                if group is None:
                    self._client.start(container)
                    inspected = self._client.inspect_container(container)
                    self._accounts[spec.job_id] = StatisticsReader(self._client, container)
                else:
                    with cgroup.looked_at_closely(), watched_network(self._lookout, group) as network:
                        self._client.start(container)
                        inspected = self._client.inspect_container(container)
                        _look_when_ended(cgroup, group, inspected["State"])
                        account.network = network.take(inspected)
        except BaseException as error:
            self._remove(spec.job_id, container or container_name(spec.worker_id, spec.job_id))
            if isinstance(error, OSError):
                raise InfrastructureError(f"the job's cgroup cannot be made: {error}") from error
            if isinstance(error, Gone):
                raise InfrastructureError("the container vanished while it was started") from error
            raise
        started_ns = engine_time(inspected["State"]["StartedAt"])
        return Execution(job_id=spec.job_id, handle=container, started_ns=started_ns, spec=spec)

    def _create(self, spec: ExecutionSpec, group: JobCgroup | None) -> str:
        # On v1 a limit counts (failcnt, throttling) only where it is set: on the parent. On v2 the counts are hierarchical.
        engine_limits = group is None or group.hierarchy.version == 2
        network = None
        networks = self._client.networks(names=["bridge"])
        if not networks:
            network = "none" if not spec.ports else "host"
        config = self._client.create_host_config(
            **host_config(
                spec, cgroup_parent=group.path if group else None, engine_limits=engine_limits, network=network
            )
        )
        created = self._client.create_container(host_config=config, **create_arguments(spec, hide_gpus=bool(self.gpus)))
        return str(created["Id"])

    def _stop(self, execution: Execution, grace_seconds: float) -> None:
        timer = self._kills.pop(execution.job_id, None)
        if timer is not None:
            timer.cancel()
        first = timer is None
        if grace_seconds <= 0:
            self._kill(execution)
            return
        try:
            if first:
                with translated("stop the container"):
                    self._client.kill(execution.handle, signal="SIGTERM")
        except (Gone, StartError):
            return  # it has ended already
        timer = threading.Timer(grace_seconds, self._kill_quietly, (execution,))
        timer.daemon = True
        self._kills[execution.job_id] = timer
        timer.start()

    def _kill(self, execution: Execution) -> None:
        self._killed.add(execution.job_id)
        try:
            with translated("kill the container"):
                self._client.kill(execution.handle, signal="SIGKILL")
        except (Gone, StartError):
            self._killed.discard(execution.job_id)  # it had ended already

    def _kill_quietly(self, execution: Execution) -> None:
        try:
            self._kill(execution)
        except EngineUnavailableError:
            return  # wait() tells of it

    def _collect(self, execution: Execution) -> ExitResult:
        timer = self._kills.pop(execution.job_id, None)
        if timer is not None:
            timer.cancel()
        try:
            with translated("inspect the container"):
                state = self._client.inspect_container(execution.handle)["State"]
        except Gone:
            raise InfrastructureError("the container vanished: someone else removed it") from None
        finished_ns = engine_time(state["FinishedAt"])
        if self._hierarchy is not None:
            JobCgroup(self._hierarchy, execution.job_id).kill()
        figures = self._final_figures(execution, finished_ns)
        exit_code = int(state["ExitCode"])
        if exit_code in {126, 127}:
            _refuse_failed_start(execution.spec)
        kills = figures.oom_kills or 0
        if state.get("OOMKilled") and not kills:
            kills = 1
            figures = figures.evolve(oom_kills=kills)
        return ExitResult(
            exit_code=exit_code,
            finished_ns=finished_ns,
            # The kernel's word, unless the SIGKILL was ours and a child's death for memory an older story.
            oom_killed=kills > 0 and exit_code == 137 and execution.job_id not in self._killed,
            figures=figures,
            logs=job_log_counts(execution.spec.log_path),
        )

    def _final_figures(self, execution: Execution, finished_ns: int) -> Figures:
        account = self._accounts.get(execution.job_id)
        if account is None:
            return Figures()
        account.sample_last()
        return account.figures().evolve(sampled_at_ns=finished_ns)

    def _last_figures(self, execution: Execution) -> Figures:
        """Of a job that is lost: whatever of it still runs is ended first, so that they are final."""
        if self._hierarchy is not None:
            JobCgroup(self._hierarchy, execution.job_id).kill()
        account = self._accounts.get(execution.job_id)
        if account is None:
            return Figures()
        account.sample_last()
        return account.figures()

    def _remove(self, job_id: str, container: str) -> None:
        try:
            with translated("remove the container"):
                self._client.remove_container(container, v=True, force=True)
        except (Gone, StartError):
            pass  # it is gone already, or its removal is under way
        account = self._accounts.pop(job_id, None)
        if account is not None:
            account.close()
        self._killed.discard(job_id)
        if self._hierarchy is not None:
            group = JobCgroup(self._hierarchy, job_id)
            try:
                group.kill()
                group.remove()
            except OSError as error:
                raise InfrastructureError(f"the job's cgroup could not be removed: {error}") from error

    def _recover(self, specs: dict[str, ExecutionSpec], handles: dict[str, str]) -> dict[str, Execution]:
        found: dict[str, Execution] = {}
        with translated("list the containers"):
            containers = self._client.containers(all=True, filters={"label": f"{WORKER_LABEL}={self._worker_id}"})
        leftovers = {}
        for container in containers:
            job_id = container["Labels"].get(JOB_LABEL, "")
            if job_id in specs:
                try:
                    found[job_id] = self._adopt(specs[job_id], container["Id"])
                except Gone:
                    continue  # removed just now
            else:
                leftovers[job_id] = container["Id"]
        if self._hierarchy is not None:
            for directory in self._hierarchy.directories(self._hierarchy.base).values():
                for entry in os.scandir(directory):
                    if not entry.is_dir() or entry.name in found:
                        continue
                    name = container_name(self._worker_id, entry.name)
                    if entry.name in specs:
                        handle = handles.get(entry.name) or name
                        found[entry.name] = self._adopt_account(self._hierarchy, specs[entry.name], handle)
                    else:
                        leftovers.setdefault(entry.name, name)
        for job_id, handle in leftovers.items():
            self._remove(job_id, handle)
            self.orphans_removed += 1
        return found

    def _adopt(self, spec: ExecutionSpec, container: str) -> Execution:
        with translated("inspect the container"):
            inspected = self._client.inspect_container(container)
        if self._hierarchy is not None:
            group = JobCgroup(self._hierarchy, spec.job_id)
            cgroup = CgroupFiguresReader(CgroupReader(group, self._lookout))
            self._accounts[spec.job_id] = ContainerAccount(cgroup, network_of(group, inspected))
            _look_when_ended(cgroup, group, inspected["State"])
        else:
            self._accounts[spec.job_id] = StatisticsReader(self._client, container)
        started_ns = engine_time(inspected["State"]["StartedAt"])
        return Execution(job_id=spec.job_id, handle=container, started_ns=started_ns, spec=spec)

    def _adopt_account(self, hierarchy: Hierarchy, spec: ExecutionSpec, container: str) -> Execution:
        """The container is gone, the cgroup that held it still has its account."""
        group = JobCgroup(hierarchy, spec.job_id)
        self._accounts[spec.job_id] = ContainerAccount(CgroupFiguresReader(CgroupReader(group)))
        return Execution(job_id=spec.job_id, handle=container, started_ns=0, spec=spec, lost=True)


def _look_when_ended(account: CgroupFiguresReader, group: JobCgroup, state: dict[str, Any]) -> None:
    """The container's first process is also its last: the kernel ends all others with it."""
    if group.hierarchy.version == 1 and state["Pid"] in group.pids():  # the engine's number may be another namespace's
        account.look_when_ended(state["Pid"])


def _refuse_failed_start(spec: ExecutionSpec) -> None:
    """The init process was started, the command was not: its last word says so. Raises StartError."""
    try:
        with spec.log_path.open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - 4096, 0))
            last = file.read().rstrip(b"\n").rpartition(b"\n")[2]
    except OSError:
        return
    if b" F [FATAL tini (" not in last:
        return
    command = spec.command[0]
    if last.endswith(b"Permission denied"):
        raise StartError(f"command not executable: {command!r}; make it executable, or name its interpreter first")
    raise StartError(f"command not found: {command!r}; it is neither in the image nor in its PATH")
