"""Finding the network namespace of a container, before its command runs where that is possible.

An engine answers a start only some 10 ms after the command has begun; by then a short job is over and its namespace gone. But the
container's first process waits in its namespace, within the job's own cgroup, while the engine still makes the network: there it
is found.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from fluster.cgroup import JobCgroup
from fluster.cgroup.lookout import Lookout
from fluster.netns import NetworkReader, open_network

__all__ = ["network_of", "watched_network"]


@contextmanager
def watched_network(lookout: Lookout | None, group: JobCgroup) -> Iterator[NetworkWatch]:
    """Start the container inside, then `take()` the network."""
    watch = NetworkWatch(group)
    try:
        with lookout.closely(watch.look) if lookout is not None else nullcontext():
            yield watch
    finally:
        watch.drop()


class NetworkWatch:
    """Looks for the network again and again while the container starts."""

    def __init__(self, group: JobCgroup) -> None:
        self._group = group
        self._lock = threading.Lock()
        self._over = False
        self._found: NetworkReader | None = None

    def look(self) -> None:
        with self._lock:
            if not self._over and self._found is None:
                self._found = _network_of_first_process(self._group)

    def take(self, inspected: dict[str, Any]) -> NetworkReader | None:
        """The reader of the started container's namespace, which the caller closes; None where the job has none of its own."""
        if _shares_hosts(inspected):
            return None
        with self._lock:
            self._over = True
            found, self._found = self._found, None
        return found or network_of(self._group, inspected)

    def drop(self) -> None:
        """What nobody took is closed; idempotent."""
        with self._lock:
            self._over = True
            found, self._found = self._found, None
        if found is not None:
            found.close()


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
