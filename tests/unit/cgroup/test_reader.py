"""Which files a pass reads, in files that stand in for the kernel's."""

import errno
import os

import pytest

from fluster.cgroup import CgroupReader, Hierarchy, JobCgroup
from fluster.cgroup.lookout import Lookout

STAT = "cache 0\nrss 0\ntotal_cache 5\ntotal_rss {anon}\ntotal_inactive_file {inactive}\n"


class Kernel:
    def __init__(self, root):
        self.directory = root / "fluster" / "w" / "j"
        self.directory.mkdir(parents=True)
        self.group = JobCgroup(Hierarchy(1, {"memory": str(root), "cpuacct": str(root)}, [], "/fluster/w"), "j")
        self.tell(usage=1000, anon=300, inactive=100)

    def tell(self, *, usage, anon, inactive, cpu=5, peak=2000):
        (self.directory / "memory.usage_in_bytes").write_text(f"{usage}\n")
        (self.directory / "memory.stat").write_text(STAT.format(anon=anon, inactive=inactive))
        (self.directory / "memory.max_usage_in_bytes").write_text(f"{peak}\n")
        (self.directory / "cpuacct.usage").write_text(f"{cpu}\n")


@pytest.fixture
def kernel(tmp_path):
    return Kernel(tmp_path)


@pytest.mark.parametrize("interval", [0.5, 4, 60])
def test_of_a_job_that_does_nothing_all_is_read_after_ten_seconds_however_often_it_is_looked_at(kernel, interval):
    now = [0.0]
    reader = CgroupReader(kernel.group, clock=lambda: now[0])
    assert reader.sample().memory_working_set == 900
    kernel.tell(usage=1000, anon=300, inactive=400, peak=3000)
    while now[0] + interval < 10:
        now[0] += interval
        assert reader.sample().memory_working_set == 900
    now[0] += interval
    assert reader.sample().memory_working_set == 600
    assert reader.reading().memory_peak == 3000
    kernel.tell(usage=1000, anon=300, inactive=500)
    now[0] += 9.9
    assert reader.sample().memory_working_set == 600
    now[0] += 0.1
    assert reader.sample().memory_working_set == 500
    reader.close()


def test_of_a_job_whose_cpu_time_has_moved_all_is_read_but_the_dear_file(kernel):
    reader = CgroupReader(kernel.group)
    reader.sample()
    kernel.tell(usage=1000, anon=300, inactive=400, cpu=6, peak=3000)
    glance = reader.sample()
    assert (glance.cpu_ns, glance.memory_working_set) == (6, 900)
    assert reader.reading().memory_peak == 3000
    reader.close()


def test_the_last_reading_is_thorough(kernel):
    reader = CgroupReader(kernel.group)
    reader.sample()
    kernel.tell(usage=1000, anon=200, inactive=400, peak=3000)
    assert reader.read().memory_working_set == 600
    reading = reader.reading()
    assert (reading.memory_peak, reading.memory_anon) == (3000, 200)
    reader.close()


def test_another_usage_is_looked_into_at_once(kernel):
    reader = CgroupReader(kernel.group)
    reader.sample()
    kernel.tell(usage=2000, anon=1300, inactive=100)
    glance = reader.sample()
    assert (glance.memory_working_set, glance.memory_anon) == (1900, 1300)
    reading = reader.reading()
    assert (reading.memory_anon, reading.memory_cache, reading.memory_inactive_file) == (1300, 5, 100)
    reader.close()


def test_a_look_at_memory_says_nothing_while_usage_stays(kernel):
    reader = CgroupReader(kernel.group)
    assert reader.sample_memory().memory_anon == 300
    assert reader.sample_memory() is None
    kernel.tell(usage=1004, anon=304, inactive=100)
    assert reader.sample_memory().memory_anon == 304
    reader.close()
    assert reader.sample_memory() is None
    assert reader.sample().memory_usage == 1000  # what a pass read last stands


def refuse(monkeypatch, name, code):
    """The file of this name, or eventfds, cannot be opened."""
    failure = OSError(code, os.strerror(code))
    opened = os.open

    def open_(path, *args, **kwargs):
        if str(path).endswith(f"/{name}"):
            raise failure
        return opened(path, *args, **kwargs)

    def eventfd(*_args):
        raise failure

    if name == "eventfd":
        monkeypatch.setattr(os, name, eventfd)
    else:
        monkeypatch.setattr(os, "open", open_)


@pytest.mark.parametrize("name", ["memory.stat", "memory.oom_control", "cgroup.event_control", "eventfd"])
def test_without_descriptors_no_figure_is_missing_in_silence_and_nothing_is_left_open(kernel, monkeypatch, name):
    (kernel.directory / "memory.oom_control").write_text("oom_kill 0\n")
    lookout = Lookout()
    before = len(os.listdir("/proc/self/fd"))
    with monkeypatch.context() as patched:
        refuse(patched, name, errno.EMFILE)
        with pytest.raises(OSError, match="Too many open files"):
            CgroupReader(kernel.group, lookout)
    assert len(os.listdir("/proc/self/fd")) == before
    lookout.close()


@pytest.mark.parametrize("code", [errno.ENOENT, errno.EOPNOTSUPP, errno.EACCES])
def test_what_this_kernel_does_not_tell_is_unknown(kernel, monkeypatch, code):
    refuse(monkeypatch, "memory.stat", code)
    reader = CgroupReader(kernel.group)
    assert reader.sample().memory_usage == 1000
    assert reader.reading().memory_anon is None
    reader.close()
