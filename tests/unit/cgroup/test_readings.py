"""What stands in the kernel's files, and in the names of slices."""

import os

import pytest

from fluster.cgroup import Bounds, JobCgroup, v1, v2
from fluster.cgroup import slices as systemd
from fluster.cgroup.hierarchy import Hierarchy
from fluster.cgroup.slices import SliceCgroup, Slices


def test_hits_of_the_limit_of_memory_and_of_memory_with_swap_are_added():
    assert v1.reading({"hits": b"3\n"}, 0).memory_limit_hits == 3
    assert v1.reading({"hits": b"3\n", "hits_swap": b"4\n"}, 0).memory_limit_hits == 7
    assert v1.reading({}, 0).memory_limit_hits is None


def test_kills_below_are_added_to_those_of_the_jobs_own_cgroup():
    own = b"oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"
    assert v1.reading({"oom": own}, 3).oom_kills == 5
    assert v1.reading({}, 3).oom_kills is None
    assert v2.reading({"events": b"low 0\nmax 9\noom 4\noom_kill 2\n"}).oom_kills == 2


def test_bytes_of_all_devices_are_added():
    text = b"254:0 Read 4096\n254:0 Write 8192\n254:0 Total 12288\n8:0 Read 1\n8:0 Write 2\n8:0 Total 3\nTotal 12291\n"
    found = v1.reading({"io": text}, 0)
    assert (found.io_read, found.io_written) == (4097, 8194)
    assert v1.io_total(text) == 12291
    assert v1.io_total(b"") == 0


@pytest.fixture
def slices(tmp_path):
    return Slices(2, {"": str(tmp_path)}, [], "/fluster.slice/fluster-my\\worker.slice")


@pytest.mark.parametrize("job_id", ["job", "a-b", "--", "a.b_c-", "x" * 128])
def test_every_job_id_has_a_slice_and_comes_back_from_its_name(slices, job_id):
    group = SliceCgroup(slices, job_id)
    assert group.parent.startswith("fluster-my\\worker-")
    assert group.parent.count("-") == 2
    assert ":" not in group.parent
    assert group.path == f"{slices.base}/{group.parent}"
    (directory,) = group.directories.values()
    assert slices.every_directory(group.path) == [directory]
    os.makedirs(directory)
    assert slices.job_ids() == {job_id}


def test_a_limit_of_memory_leaves_no_room_for_swap_and_its_hits_countable(tmp_path):
    memory = tmp_path / "memory" / "fluster" / "w" / "job"
    memory.mkdir(parents=True)
    (memory / "memory.memsw.limit_in_bytes").touch()
    JobCgroup(Hierarchy(1, {"memory": str(tmp_path / "memory")}, [], "/fluster/w"), "job").create(Bounds(1 << 30))
    assert (memory / "memory.limit_in_bytes").read_text() == str(1 << 30)
    assert (memory / "memory.swappiness").read_text() == "0"
    assert int((memory / "memory.memsw.limit_in_bytes").read_text()) - (1 << 30) <= 2 << 20


ODD = 500_000_000
WHOLE = ODD - ODD % os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize(
    ("version", "controller", "name"), [(1, "memory", "memory.limit_in_bytes"), (2, "", "memory.max")]
)
def test_a_limit_of_memory_is_whole_pages_as_the_kernel_holds_it(tmp_path, version, controller, name):
    JobCgroup(Hierarchy(version, {controller: str(tmp_path)}, [], "/fluster/w"), "job").create(Bounds(ODD))
    assert ODD != WHOLE
    assert (tmp_path / "fluster" / "w" / "job" / name).read_text() == str(WHOLE)


def test_a_slice_is_there_with_a_limit_of_memory_that_is_no_whole_page(slices, monkeypatch):
    """A kernel that tells the limit as it rounded it, which systemd does not."""
    group = SliceCgroup(slices, "job")

    def start(_unit, properties):
        (wanted,) = [int(each.partition("t:")[2]) for each in properties if each.startswith("MemoryMax=")]
        os.makedirs(group.directories[""])
        with open(f"{group.directories['']}/memory.max", "w") as file:
            file.write(f"{wanted - wanted % os.sysconf('SC_PAGE_SIZE')}\n")

    monkeypatch.setattr(systemd, "_start", start)
    monkeypatch.setattr(systemd, "_SECONDS", 0.1)
    group.create(Bounds(ODD))
