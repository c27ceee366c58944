"""Who descends from whom, from /proc: for machines where the worker may not make cgroups. Standard library only."""

from __future__ import annotations

import os
from typing import NamedTuple

__all__ = ["ProcessFigures", "descendants", "figures_below", "marked", "start_ticks"]


class ProcessFigures(NamedTuple):
    """Sums over processes: bytes of resident and anonymous memory, CPU in nanoseconds, how many."""

    resident: int
    anonymous: int
    user_ns: int
    system_ns: int
    processes: int


def _stat(pid: int | str) -> list[bytes] | None:
    """Fields of /proc/<pid>/stat from the third on (state, ppid, ...); None where the process is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rsplit(b") ", 1)[1].split()
    except (OSError, IndexError):
        return None


def start_ticks(pid: int) -> int | None:
    """When the process was started, in clock ticks since boot: with the pid it names a process for good."""
    fields = _stat(pid)
    return int(fields[19]) if fields and fields[0] not in b"ZX" else None


def descendants(root: int) -> list[int]:
    """All processes below `root`, without it, zombies included.

    One whose parent ended during the walk may be missing, but then that parent is in the list: only an empty one says that there
    is none.
    """
    found: list[int] = []
    todo = [root]
    while todo:
        below = _children(todo.pop())
        if below is None:
            return _descendants_by_scan(root)
        found += below
        todo += below
    return found


def _children(pid: int) -> list[int] | None:
    """The children of all threads of a process; None where this kernel does not tell (CONFIG_PROC_CHILDREN)."""
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                found += map(int, file.read().split())
        except FileNotFoundError:
            if os.path.exists(f"/proc/{pid}/task/{thread}"):
                return None
        except OSError:
            continue  # it ended just now
    return found


def _descendants_by_scan(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (fields := _stat(name)):
            children.setdefault(int(fields[1]), []).append(int(name))
    found: list[int] = []
    todo = [root]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def marked(job_id: str, worker_id: str) -> list[int]:
    """Processes that carry the ids of job and worker in their first environment: those that lost their supervisor.

    Another worker on this machine may have a job of the same id.
    """
    marks = {f"FLUSTER_JOB_ID={job_id}".encode(), f"FLUSTER_WORKER_ID={worker_id}".encode()}
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    if marks <= set(file.read().split(b"\0")):
                        found.append(int(name))
            except OSError:
                continue
    return found


def figures_below(root: int) -> ProcessFigures:
    """What all below `root` use now, with the CPU time of what was reaped already, by `root` or below it.

    Who ends during the walk may be missing, and is never counted twice: parents are read before their children. Who is reaped by
    nobody (its parent ignores SIGCHLD) takes its CPU time along.
    """
    page, tick = os.sysconf("SC_PAGE_SIZE"), 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    resident = anonymous = user = system = count = 0
    for pid in dict.fromkeys((root, *descendants(root))):
        fields = _stat(pid)
        if fields is None or fields[0] == b"X":
            continue
        user += int(fields[13]) * tick
        system += int(fields[14]) * tick
        if pid == root:
            continue
        user += int(fields[11]) * tick
        system += int(fields[12]) * tick
        if fields[0] == b"Z":
            continue  # its CPU time is nobody else's until it is reaped; nothing but that is left of it
        try:
            with open(f"/proc/{pid}/statm", "rb") as file:
                sizes = file.read().split()
        except OSError:
            continue
        resident += int(sizes[1]) * page
        anonymous += (int(sizes[1]) - int(sizes[2])) * page
        count += 1
    return ProcessFigures(resident, anonymous, user, system, count)
