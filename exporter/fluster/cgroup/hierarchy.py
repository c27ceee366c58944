"""Where cgroups are on this machine, and where this process may make its own."""

from __future__ import annotations

import os
from typing import NamedTuple

__all__ = ["Hierarchy", "NotOurs", "find_hierarchy", "unified_mount", "write"]

V1_CONTROLLERS = ("memory", "cpu", "cpuacct", "pids", "blkio", "freezer")
V2_CONTROLLERS = ("cpu", "memory", "pids", "io")
_OWN_CGROUP = "fluster-worker"
_HANDED_OVER = "run the worker as root, or in a unit of its own with Delegate=yes"


class NotOurs(Exception):  # noqa: N818 # reads as what it says: except NotOurs
    """This process may not make cgroups here; str() says why in a sentence."""


class Hierarchy(NamedTuple):
    """The trees of a machine and the path, below each of their roots, under which this worker's jobs live."""

    version: int
    """1 or 2. A hybrid machine (v1 controllers beside an empty v2 tree) is 1."""
    roots: dict[str, str]
    """v1: controller -> mount point; v2: "" -> the one mount point."""
    others: list[str]
    """v1: mount points of the trees that the worker does not use; engines make directories there, too."""
    base: str
    """`/fluster/<worker_id>`; on v2 without root below the cgroup that was handed to this process."""

    def directories(self, path: str) -> dict[str, str]:
        """The directory in each tree, by controller ("" on v2), of the cgroup at `path` (absolute, as in /proc/self/cgroup)."""
        return {controller: root + path for controller, root in self.roots.items()}

    def every_directory(self, path: str) -> list[str]:
        """All directories that an engine or this worker may have made for `path`."""
        found = list(dict.fromkeys(os.path.realpath(each) for each in self.directories(path).values()))
        return [*found, *(root + path for root in self.others)]

    def job_ids(self) -> set[str]:
        """Jobs that have a cgroup of this worker's, living or left over."""
        return {
            entry.name
            for directory in self.directories(self.base).values()
            for entry in os.scandir(directory)
            if entry.is_dir()
        }

    def release(self) -> None:
        """Remove the worker's own directory where no job is left in it."""
        for directory in self.every_directory(self.base):
            try:
                os.rmdir(directory)
            except OSError:
                continue  # jobs that go on, or never made in this tree

    def enforces(self) -> tuple[str, ...]:
        """What can be limited in it: of "cpu", "memory" and "processes". A kernel may account for what it does not limit."""
        files = {
            "cpu": ("cpu", "cpu.cfs_quota_us"),
            "memory": ("memory", "memory.limit_in_bytes"),
            "processes": ("pids", "pids.max"),
        }
        if self.version == 2:
            files = {"cpu": ("", "cpu.max"), "memory": ("", "memory.max"), "processes": ("", "pids.max")}
        return tuple(
            what
            for what, (controller, name) in files.items()
            if controller in self.roots and os.path.exists(f"{self.roots[controller]}{self.base}/{name}")
        )


def unified_mount() -> str:
    """Where the v2 tree with the controllers is mounted; empty where v1 trees have them."""
    roots, _, unified = _mounts("/proc/self/mountinfo")
    return "" if roots else unified


def _mounts(mountinfo: str) -> tuple[dict[str, str], list[str], str]:
    """v1 controllers and their mount points, mount points of the other v1 trees, that of the v2 tree."""
    roots: dict[str, str] = {}
    others: list[str] = []
    unified = ""
    with open(mountinfo) as file:
        for line in file:
            fields, _, tail = line.partition(" - ")
            kind, _, options = tail.split(" ", 2)
            mount = fields.split(" ")[4].replace("\\040", " ")
            if kind == "cgroup2":
                unified = unified or mount
            elif kind == "cgroup":
                used = [each for each in options.strip().split(",") if each in V1_CONTROLLERS]
                for controller in used:
                    roots.setdefault(controller, mount)
                if not used:
                    others.append(mount)
    return roots, others, unified


def find_hierarchy(
    worker_id: str, *, mountinfo: str = "/proc/self/mountinfo", own: str = "/proc/self/cgroup"
) -> Hierarchy:
    """The hierarchy of this machine, with `base` made in every tree. Raises NotOurs."""
    roots, others, unified = _mounts(mountinfo)
    if {"memory", "cpuacct"} <= roots.keys():
        hierarchy = Hierarchy(1, roots, [*others, *([unified] if unified else [])], f"/fluster/{worker_id}")
    elif unified:
        parent = "" if os.geteuid() == 0 and not _confined(unified) else _own_part(unified, _own_path(own))
        hierarchy = Hierarchy(2, {"": unified}, [], f"{parent}/fluster/{worker_id}")
        _delegate(unified, f"{parent}/fluster/{worker_id}")
    else:
        raise NotOurs("there is no cgroup tree with memory and cpu accounting on this machine")
    _try_out(hierarchy)
    return _account_devices(hierarchy) if hierarchy.version == 1 and "blkio" in roots else hierarchy


def _own_path(own: str) -> str:
    with open(own) as file:
        for line in file:
            if line.startswith("0::"):
                return line.strip()[3:].rstrip("/")
    return ""


def _own_part(unified: str, own: str) -> str:
    """The part of the tree that was handed to this process: its own cgroup, which it leaves for a child of that.

    A cgroup with processes hands no controllers down. Raises NotOurs.
    """
    parent, _, name = own.rpartition("/")
    if name == _OWN_CGROUP:
        return parent  # an earlier worker of this process went there
    try:
        os.makedirs(f"{unified}{own}/{_OWN_CGROUP}", exist_ok=True)
        for pid in _read(f"{unified}{own}/cgroup.procs").split():
            try:
                write(f"{unified}{own}/{_OWN_CGROUP}/cgroup.procs", pid)
            except ProcessLookupError:
                continue
    except OSError as error:
        raise NotOurs(f"cgroups cannot be made below {unified}{own} ({error.strerror}); {_HANDED_OVER}") from error
    return own


def _confined(unified: str) -> bool:
    """True inside a cgroup namespace, as containers have it: its root is one's own cgroup; the machine's has no type."""
    return os.path.exists(f"{unified}/cgroup.type")


def _delegate(root: str, path: str) -> None:
    """v2: hand the controllers down to `path`. Raises NotOurs where that is not allowed."""
    have = _read(f"{root}/cgroup.controllers").split()
    if not {"cpu", "memory", "pids"} <= set(have):
        missing = ", ".join(sorted({"cpu", "memory", "pids"} - set(have)))
        raise NotOurs(f"the cgroup controllers {missing} are not available in {root}")
    directory = root
    for name in ["", *path.strip("/").split("/")]:
        directory = f"{directory}/{name}" if name else directory
        try:
            os.makedirs(directory, exist_ok=True)
            wanted = [each for each in V2_CONTROLLERS if each in _read(f"{directory}/cgroup.controllers").split()]
            active = _read(f"{directory}/cgroup.subtree_control").split()
            for controller in wanted:
                if controller not in active:
                    write(f"{directory}/cgroup.subtree_control", f"+{controller}")
        except OSError as error:
            raise NotOurs(f"cgroups cannot be made below {directory} ({error.strerror}); {_HANDED_OVER}") from error


def _try_out(hierarchy: Hierarchy) -> None:
    for directory in hierarchy.directories(hierarchy.base).values():
        try:
            os.makedirs(f"{directory}/.probe", exist_ok=True)
            os.rmdir(f"{directory}/.probe")
        except OSError as error:
            raise NotOurs(
                f"cgroups cannot be made in {directory} ({error.strerror}); run the worker as root"
            ) from error


def _account_devices(hierarchy: Hierarchy) -> Hierarchy:
    """v1: since Linux 6.10 bytes of a device are counted from the first time that someone sets a limit on it, even that of none.

    Where they are not counted then, the tree is no source of figures: a 0 would be a lie.
    """
    for name in os.listdir("/sys/block"):
        if os.path.exists(f"/sys/block/{name}/device"):  # a disk, not what is built of disks, memory or files
            try:
                device = _read(f"/sys/block/{name}/dev").strip()
                write(f"{hierarchy.roots['blkio']}{hierarchy.base}/blkio.throttle.read_bps_device", f"{device} 0")
            except OSError:
                continue  # this kernel does not limit this device
    root = hierarchy.roots["blkio"]
    if " Write " in _read(f"{root}/blkio.throttle.io_service_bytes_recursive"):
        return hierarchy
    roots = {controller: each for controller, each in hierarchy.roots.items() if controller != "blkio"}
    return hierarchy._replace(roots=roots, others=[*hierarchy.others, *([] if root in roots.values() else [root])])


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def write(path: str, text: str) -> None:
    """Into a file of the kernel's. Raises OSError."""
    with open(path, "w") as file:
        file.write(text)
