"""The accounts of all containers of one worker: in cgroups of the worker's own, or by the engine's statistics where it can have none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import docker
from loguru import logger

from fluster.cgroup import Bounds, CgroupReader, Hierarchy, JobCgroup, find_hierarchy
from fluster.cgroup.hierarchy import NotOurs
from fluster.cgroup.lookout import Lookout
from fluster.cgroup.quiet import MemoryWatch
from fluster.cgroup.slices import SliceCgroup, Slices, find_slices
from fluster.errors import InfrastructureError
from fluster.job import Figures, Limits
from fluster.runtime.cgroup_figures import CgroupFiguresReader
from fluster.runtime.docker.account import ContainerAccount
from fluster.runtime.docker.client import is_remote
from fluster.runtime.docker.network import network_of, watched_network
from fluster.runtime.docker.statistics import StatisticsReader

__all__ = ["Accounts", "own_hierarchy"]

_FLAGS: Final = {"memory": "MemoryLimit", "processes": "PidsLimit", "cpu": "CpuCfsQuota"}
"""What an engine says of the limits that it enforces."""


def own_hierarchy(client: docker.APIClient, engine: dict[str, Any], worker_id: str) -> Hierarchy:
    """The cgroups in which this worker's containers can live. Raises NotOurs, which says why there are none."""
    driver = engine.get("CgroupDriver")
    if is_remote(client):
        raise NotOurs("the engine is not on this machine")
    if "name=rootless" in (engine.get("SecurityOptions") or ()):
        raise NotOurs("the engine is rootless")
    if driver not in {"cgroupfs", "systemd"}:
        raise NotOurs(f"the engine's cgroup driver is {driver!r}, which makes no cgroups")
    return find_slices(worker_id) if driver == "systemd" else find_hierarchy(worker_id)


class Accounts:
    """Thread-safe for different jobs. `engine` is the engine's description of itself."""

    def __init__(self, client: docker.APIClient, engine: dict[str, Any], hierarchy: Hierarchy | None) -> None:
        self._client = client
        self._engine = engine
        self._hierarchy = hierarchy
        self._lookout = Lookout(_tell) if hierarchy else None
        self._memory = MemoryWatch(hierarchy) if hierarchy else None
        self._accounts: dict[str, ContainerAccount | StatisticsReader] = {}

    @property
    def cgroup_version(self) -> int | None:
        """1 or 2 where they are the kernel's; None where they are the engine's statistics, whatever the engine has."""
        return self._hierarchy.version if self._hierarchy else None

    def enforced(self) -> list[str]:
        """What of "memory", "processes" and "cpu" is limited where a job asks for it."""
        own = self._hierarchy.enforces() if self._hierarchy else ()
        return [name for name, flag in _FLAGS.items() if name in own or (not own and self._engine.get(flag))]

    def memory_changed(self) -> bool:
        """See Runtime."""
        return self._memory is None or self._memory.changed()

    def get(self, job_id: str) -> ContainerAccount | StatisticsReader:
        return self._accounts[job_id]

    def job_ids(self) -> set[str]:
        """Jobs that have a cgroup, living or left over."""
        return self._hierarchy.job_ids() if self._hierarchy else set()

    # The way of an account

    def begin(self, job_id: str, limits: Limits) -> tuple[str | None, Limits]:
        """Make the job's cgroup. The parent for its container, None for the engine's default, and the limits that the engine has to set.

        Raises OSError.
        """
        if self._hierarchy is None:
            return None, limits
        group = self._group(job_id)
        group.create(Bounds(limits.memory_bytes, limits.cpu_millicores, limits.max_processes))
        self._accounts[job_id] = ContainerAccount(CgroupFiguresReader(CgroupReader(group, self._lookout)))
        if self._hierarchy.version == 1:
            return (
                group.parent,
                Limits(),
            )  # hits and throttling are counted only where the limit is: on the job's cgroup
        # v2 counts memory upwards, and a program that looks at its own cgroup finds its limit; throttling is not counted upwards.
        return group.parent, Limits(memory_bytes=limits.memory_bytes, max_processes=limits.max_processes)

    @contextmanager
    def starting(self, job_id: str) -> Iterator[Callable[[dict[str, Any]], None]]:
        """The container is started inside; then the engine's inspection of it is handed to what this yields."""
        account = self._accounts.get(job_id)
        if not isinstance(account, ContainerAccount):
            yield lambda inspected: self._follow_statistics(job_id, inspected)
            return
        group = self._group(job_id)
        with account.cgroup.looked_at_closely(), watched_network(self._lookout, group) as network:

            def started(inspected: dict[str, Any]) -> None:
                _look_when_ended(account, group, inspected)
                account.network = network.take(inspected)

            yield started

    def adopt(self, job_id: str, inspected: dict[str, Any]) -> None:
        """Go on with a container that an earlier worker started, which may have had no cgroups of its own. Raises OSError."""
        if self._hierarchy is None or not self._group(job_id).exists():
            self._follow_statistics(job_id, inspected)
            return
        group = self._group(job_id)
        account = self._accounts[job_id] = ContainerAccount(CgroupFiguresReader(CgroupReader(group, self._lookout)))
        account.network = network_of(group, inspected)
        _look_when_ended(account, group, inspected)

    def adopt_lost(self, job_id: str) -> None:
        """The container is gone, the cgroup that held it still has its account. Raises OSError."""
        self._accounts[job_id] = ContainerAccount(CgroupFiguresReader(CgroupReader(self._group(job_id))))

    def final(self, job_id: str) -> Figures:
        """The last figures: whatever of the job still runs is ended first."""
        if self._hierarchy is not None:
            self._group(job_id).kill()
        account = self._accounts.get(job_id)
        if account is None:
            return Figures()
        account.sample_last()
        return account.figures()

    def remove(self, job_id: str) -> None:
        """Idempotent. Raises InfrastructureError where the cgroup stays."""
        account = self._accounts.pop(job_id, None)
        if account is not None:
            account.close()
        if self._hierarchy is None:
            return
        group = self._group(job_id)
        try:
            group.kill()
            group.remove()
        except OSError as error:
            raise InfrastructureError(f"the job's cgroup could not be removed: {error}") from error

    def close(self) -> None:
        """Containers go on, and so do their cgroups."""
        for account in self._accounts.values():
            account.close()
        self._accounts.clear()
        if self._lookout is not None:
            self._lookout.close()
        if self._memory is not None:
            self._memory.close()
        if self._hierarchy is not None:
            self._hierarchy.release()

    def _group(self, job_id: str) -> JobCgroup:
        assert self._hierarchy is not None  # noqa: S101 # for the type checker
        return (
            SliceCgroup(self._hierarchy, job_id)
            if isinstance(self._hierarchy, Slices)
            else JobCgroup(self._hierarchy, job_id)
        )

    def _follow_statistics(self, job_id: str, inspected: dict[str, Any]) -> None:
        self._accounts[job_id] = StatisticsReader(self._client, inspected["Id"])


def _tell(error: Exception) -> None:
    logger.warning("a look at a container failed, it may have more kills and bytes than are counted: {}", error)


def _look_when_ended(account: ContainerAccount, group: JobCgroup, inspected: dict[str, Any]) -> None:
    """The container's first process is also its last: the kernel ends all others with it."""
    pid = inspected["State"]["Pid"]
    if group.hierarchy.version == 1 and pid in group.pids():  # the engine's number may be another namespace's
        account.cgroup.look_when_ended(pid)
