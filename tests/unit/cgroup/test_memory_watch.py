"""One look at the cgroup above all jobs, in files that stand in for the kernel's."""

import pytest

from fluster.cgroup import Hierarchy
from fluster.cgroup.quiet import MemoryWatch

FILES = {1: ("memory", "memory.usage_in_bytes"), 2: ("", "memory.current")}


@pytest.fixture(params=FILES)
def base(request, tmp_path):
    """The hierarchy, and the file that counts all jobs."""
    controller, name = FILES[request.param]
    directory = tmp_path / "fluster" / "w"
    directory.mkdir(parents=True)
    if request.param == 1:
        (directory / "memory.use_hierarchy").write_text("1\n")
    file = directory / name
    file.write_text("4096\n")
    return Hierarchy(request.param, {controller: str(tmp_path)}, [], "/fluster/w"), file


def test_memory_has_changed_at_the_first_look_and_whenever_the_sum_is_another(base):
    hierarchy, file = base
    watch = MemoryWatch(hierarchy)
    assert watch.changed()
    assert not watch.changed()
    file.write_text("8192\n")
    assert watch.changed()
    assert not watch.changed()
    watch.close()


def test_what_cannot_be_told_may_have_changed(base, tmp_path):
    hierarchy, file = base
    watch = MemoryWatch(hierarchy)
    watch.close()
    watch.close()
    assert [watch.changed(), watch.changed()] == [True, True]
    file.unlink()
    (tmp_path / "fluster" / "w" / "memory.use_hierarchy").write_text("0\n")
    watch = MemoryWatch(hierarchy)
    assert [watch.changed(), watch.changed()] == [True, True]
