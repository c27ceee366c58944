import os
import threading

import pytest

from fluster.job import Figures
from fluster.stats import Sampler
from fluster.stats.disk import disk_usage

MIB = 1024 * 1024


class Reader:
    def __init__(self, *figures, memory=()):
        self.figures = list(figures)
        self.memory = list(memory)
        self.closed = 0

    def read(self):
        found = self.figures.pop(0) if len(self.figures) > 1 else self.figures[0]
        if isinstance(found, Exception):
            raise found
        return found

    def read_memory(self):
        return self.memory.pop(0) if self.memory else None

    def close(self):
        self.closed += 1


def at(second, **figures):
    return Figures(sampled_at_ns=int(second * 10**9), **figures)


def test_cores_are_cpu_seconds_over_the_interval_and_their_peak_stays():
    sampler = Sampler(1.0)
    readings = [
        at(1, cpu_user_seconds=0.0, cpu_system_seconds=0.0),
        at(2, cpu_user_seconds=1.0, cpu_system_seconds=0.5),
        at(4, cpu_user_seconds=1.5, cpu_system_seconds=0.5),
    ]
    sampler.add("a", Reader(*readings), [])
    sampler.sample()
    assert sampler.latest("a").cpu_cores is None
    sampler.sample()
    assert sampler.latest("a").cpu_cores == pytest.approx(1.5)
    sampler.sample()
    assert sampler.latest("a").cpu_cores == pytest.approx(0.25)
    assert sampler.latest("a").cpu_peak_cores == pytest.approx(1.5)


def test_peaks_between_two_readings_are_seen_at_ten_times_a_second():
    sampler = Sampler(1.0)
    peak = Figures(memory_working_set_peak_bytes=300 * MIB, memory_anon_peak_bytes=290 * MIB)
    sampler.add("a", Reader(at(1, memory_working_set_bytes=MIB, memory_anon_bytes=MIB), memory=[peak]), [])
    sampler.sample()
    sampler.sample_memory()
    figures = sampler.remove("a")
    assert figures.memory_working_set_peak_bytes == 300 * MIB
    assert figures.memory_anon_peak_bytes == 290 * MIB
    assert figures.memory_anon_bytes == MIB


def test_samples_are_those_of_the_last_minute():
    sampler = Sampler(1.0)
    sampler.add("a", Reader(*[at(second, memory_usage_bytes=second) for second in range(1, 101)]), [])
    for _ in range(100):
        sampler.sample()
    assert [sample.memory_bytes for sample in sampler.samples("a")] == list(range(40, 101))


def test_a_failing_reader_is_counted_and_holds_nobody_up():
    sampler = Sampler(1.0)
    sampler.add("bad", Reader(OSError("gone")), [])
    sampler.add("good", Reader(at(1, processes=2)), [])
    sampler.sample()
    assert sampler.errors["stats"] == 1
    assert sampler.latest("good").processes == 2
    assert sampler.latest("bad") is None


def test_remove_takes_a_last_reading_and_closes_the_reader_once():
    sampler = Sampler(1.0)
    reader = Reader(at(1, processes=1), at(2, processes=5))
    sampler.add("a", reader, [])
    sampler.sample()
    assert sampler.remove("a").processes == 5
    assert sampler.remove("a") == Figures()
    assert reader.closed == 1


def test_disk_is_walked_at_once_then_at_its_cadence_and_told(tmp_path):
    now = [100.0]
    sampler = Sampler(1.0, clock=lambda: now[0])
    told = []
    sampler.on_disk = lambda job_id, used: told.append((job_id, used))
    (tmp_path / "file").write_bytes(b"x" * MIB)
    sampler.add("a", Reader(at(1)), [tmp_path])
    sampler.sample()
    sampler.walk()
    sampler.walk()
    assert len(told) == 1
    assert told[0][0] == "a"
    assert told[0][1] >= MIB
    (tmp_path / "file").unlink()
    now[0] += 5
    sampler.walk()
    assert len(told) == 2
    assert sampler.latest("a").disk_bytes < MIB
    assert sampler.latest("a").disk_peak_bytes >= MIB


def test_disk_usage_counts_hard_links_once_and_follows_no_symlink(tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "big").write_bytes(b"x" * 4 * MIB)
    (inside / "a").write_bytes(b"x" * MIB)
    os.link(inside / "a", inside / "b")
    (inside / "link").symlink_to(outside)
    assert MIB <= disk_usage([inside]) < 2 * MIB
    assert disk_usage([tmp_path / "missing"]) == 0
    assert disk_usage([inside], budget_seconds=-1) is None


def test_the_threads_sample_and_stop():
    sampler = Sampler(0.01)
    seen = threading.Event()

    class Live(Reader):
        def read(self):
            seen.set()
            return at(1)

    reader = Live()
    sampler.add("a", reader, [])
    sampler.start()
    assert seen.wait(10)
    sampler.stop()
    assert reader.closed == 1
