"""Finding the network namespace of a container, before its command runs where that is possible.

An engine answers a start only some 10 ms after the command has begun; by then a short job is over and its namespace gone. But the
container's first process waits in its namespace, within the job's own cgroup, while the engine still makes the network: there it
is found.
"""

from __future__ import annotations

import os
import threading
from types import TracebackType
from typing import Any, Final, Self

from fluster.cgroup import JobCgroup
from fluster.netns import NetworkReader, open_network

__all__ = ["NetworkWatch", "network_of"]

_PAUSE_SECONDS: Final = 0.005
"""Between two looks; the first process waits for some 200 ms."""


class NetworkWatch:
    """`with NetworkWatch(group) as watch: <start the container>`, then `watch.take(inspected)`."""

    def __init__(self, group: JobCgroup) -> None:
        self._group = group
        self._found: NetworkReader | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="fluster-netns-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        if error is not None and self._found is not None:
            self._found.close()

    def take(self, inspected: dict[str, Any]) -> NetworkReader | None:
        """The reader of the started container's namespace, which the caller closes; None where the job has none of its own."""
        if _shares_hosts(inspected):
            if self._found is not None:
                self._found.close()
            return None
        return self._found or network_of(self._group, inspected)

    def _watch(self) -> None:
        while self._found is None:
            self._found = _network_of_first_process(self._group)
            if self._over.wait(_PAUSE_SECONDS):
                return


def network_of(group: JobCgroup, inspected: dict[str, Any]) -> NetworkReader | None:
    """The reader of a running container's own namespace; None where it has none of its own, or is gone."""
    if _shares_hosts(inspected):
        return None
    found = _network_of_first_process(group)
    mounted = (inspected.get("NetworkSettings") or {}).get("SandboxKey")
    return found or (open_network(mounted) if mounted else None)


def _shares_hosts(inspected: dict[str, Any]) -> bool:
    return bool(inspected["HostConfig"].get("NetworkMode") == "host")


def _network_of_first_process(group: JobCgroup) -> NetworkReader | None:
    pid = _first_process(group)
    if pid is None:
        return None
    found = open_network(f"/proc/{pid}/ns/net")
    if found is not None and _first_process(group) != pid:
        found.close()  # it ended, and another process may have got its number
        return None
    return found


def _first_process(group: JobCgroup) -> int | None:
    """The process below the job's cgroup that is number 1 of a process namespace of its own: the container's first one."""
    directory = next(iter(group.directories.values()))
    for each, _, _ in os.walk(directory):
        try:
            with open(f"{each}/cgroup.procs", "rb") as file:  # noqa: PTH123 # many times while a container starts
                pids = file.read().split()
        except OSError:
            continue
        for pid in pids:
            numbers = _namespace_pids(pid.decode())
            if len(numbers) > 1 and numbers[-1] == b"1":
                return int(pid)
    return None


def _namespace_pids(pid: str) -> list[bytes]:
    """Its number in each process namespace that it is in, from outside in."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:  # noqa: PTH123 # as above
            return file.read().partition(b"\nNSpid:")[2].partition(b"\n")[0].split()
    except OSError:
        return []
