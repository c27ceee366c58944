import threading

import pytest

from fluster.gpu import GpuWatch
from fluster.gpu.nvml import Reading
from fluster.job import Figures, GpuFigures
from fluster.runtime import Point
from fluster.stats import Sampler

MIB = 1024 * 1024


class Reader:
    """Gives one point after the other; the last one stays."""

    def __init__(self, *points, memory=(), figures=None):
        self.points = list(points)
        self.memory = list(memory)
        self.known = figures or Figures()

    def sample(self):
        found = self.points.pop(0) if len(self.points) > 1 else self.points[0]
        if isinstance(found, Exception):
            raise found
        return found

    def sample_memory(self):
        return self.memory.pop(0) if self.memory else None

    def figures(self, **seen):
        return self.known.evolve(**seen)


def at(second, cpu_seconds=None, **figures):
    return Point(int(second * 10**9), None if cpu_seconds is None else int(cpu_seconds * 10**9), **figures)


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def test_cores_are_cpu_seconds_over_the_interval_and_their_peak_stays():
    clock = Clock()
    sampler = Sampler(1.0, clock=clock)
    sampler.add("a", Reader(at(1, 0.5), at(2, 2.0), at(4, 2.5)), [], age_seconds=1.0)
    sampler.sample()
    assert sampler.latest("a").cpu_cores == pytest.approx(0.5)
    clock.now += 1
    sampler.sample()
    assert sampler.latest("a").cpu_cores == pytest.approx(1.5)
    clock.now += 2
    sampler.sample()
    assert sampler.latest("a").cpu_cores == pytest.approx(0.25)
    assert sampler.latest("a").cpu_peak_cores == pytest.approx(1.5)


def test_a_last_reading_right_after_another_tells_no_rate():
    clock = Clock()
    sampler = Sampler(1.0, clock=clock)
    sampler.add("a", Reader(at(1, 0.5), at(1.001, 0.504)), [], age_seconds=1.0)
    sampler.sample()
    clock.now += 0.001
    assert sampler.finish("a").cpu_peak_cores == pytest.approx(0.5)


def test_rates_count_between_the_documents_of_an_engine_not_between_the_looks_at_them():
    """One core throughout: a document every 1.07 s, a look every second."""
    clock = Clock()
    sampler = Sampler(1.0, clock=clock)
    documents = [number * 1.07 for number in range(1, 60)]
    looks = [max(each for each in documents if each <= second) for second in range(2, 60)]
    sampler.add("a", Reader(*[at(each, each) for each in looks]), [], age_seconds=1.07)
    cores = []
    for _ in looks:
        sampler.sample()
        cores.append(sampler.latest("a").cpu_cores)
        clock.now += 1
    assert cores == pytest.approx([1.0] * len(looks))
    assert sampler.latest("a").cpu_peak_cores == pytest.approx(1.0)
    assert len({each.timestamp_ms for each in sampler.samples("a")}) == len(sampler.samples("a"))


def test_a_clock_that_is_set_back_tells_no_rate_and_the_next_one_counts_from_there():
    clock = Clock()
    sampler = Sampler(1.0, clock=clock)
    sampler.add("a", Reader(at(100, 1), at(50, 2), at(51, 2.5)), [], age_seconds=1.0)
    for cores in (1.0, 1.0, 0.5):
        sampler.sample()
        assert sampler.latest("a").cpu_cores == pytest.approx(cores)
        clock.now += 1


def test_a_job_that_ends_before_the_first_pass_has_cores_over_a_tenth_of_a_second_at_least():
    sampler = Sampler(1.0, clock=Clock())
    sampler.add("a", Reader(at(1, 0.02)), [], age_seconds=0.005)
    assert sampler.finish("a").cpu_peak_cores == pytest.approx(0.2)


def test_unknown_cpu_time_gives_no_cores():
    sampler = Sampler(1.0, clock=Clock())
    sampler.add("a", Reader(at(1)), [])
    sampler.sample()
    assert sampler.latest("a").cpu_cores is None


def test_peaks_between_two_readings_are_seen_at_ten_times_a_second():
    sampler = Sampler(1.0)
    peak = at(1.1, memory_working_set_bytes=300 * MIB, memory_anon_bytes=290 * MIB)
    now = at(1, memory_working_set_bytes=MIB, memory_anon_bytes=MIB)
    sampler.add("a", Reader(now, memory=[peak], figures=Figures(memory_anon_bytes=MIB)), [])
    sampler.sample()
    sampler.sample_memory()
    figures = sampler.finish("a")
    assert figures.memory_working_set_peak_bytes == 300 * MIB
    assert figures.memory_anon_peak_bytes == 290 * MIB
    assert figures.memory_anon_bytes == MIB


def test_samples_are_those_of_the_last_minute():
    sampler = Sampler(1.0)
    sampler.add("a", Reader(*[at(second, memory_usage_bytes=second) for second in range(1, 101)]), [])
    for _ in range(100):
        sampler.sample()
    assert [sample.memory_bytes for sample in sampler.samples("a")] == list(range(40, 101))


def test_samples_know_the_disk_as_of_the_last_walk_and_the_last_one_that_of_the_end(tmp_path):
    sampler = Sampler(1.0)
    sampler.add("a", Reader(at(1), at(2), at(3)), [tmp_path])
    sampler.sample()
    sampler.walk()
    sampler.sample()
    (tmp_path / "file").write_bytes(b"x" * MIB)
    sampler.finish("a")
    first, walked, last = [sample.disk_bytes for sample in sampler.samples("a")]
    assert first is None
    assert walked < MIB <= last
    sampler.forget("a")
    assert sampler.samples("a") == []


def test_a_failing_reader_is_counted_and_holds_nobody_up():
    sampler = Sampler(1.0)
    sampler.add("bad", Reader(OSError("gone")), [])
    sampler.add("good", Reader(at(1, processes=2), figures=Figures(processes=2)), [])
    sampler.sample()
    assert sampler.errors["stats"] == 1
    assert sampler.latest("good").processes == 2
    assert sampler.latest("bad") is None


def test_the_last_reading_stands_until_the_job_is_forgotten():
    sampler = Sampler(1.0)
    reader = Reader(at(1, memory_anon_bytes=1), at(2, memory_anon_bytes=5))
    sampler.add("a", reader, [])
    sampler.sample()
    assert sampler.finish("a").memory_anon_peak_bytes == 5
    sampler.sample()
    assert sampler.finish("a") == sampler.latest("a")
    assert sampler.latest("a").memory_anon_peak_bytes == 5
    sampler.forget("a")
    sampler.forget("a")
    assert sampler.finish("a") == Figures()
    assert sampler.latest("a") is None


def test_an_engine_that_told_nothing_yet_is_no_reading():
    sampler = Sampler(1.0)
    sampler.add("a", Reader(Point(0)), [])
    sampler.sample()
    assert sampler.latest("a") is None
    assert sampler.samples("a") == []


def test_disk_is_walked_at_once_then_at_its_cadence_and_told(tmp_path):
    clock = Clock()
    sampler = Sampler(1.0, clock=clock)
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
    clock.now += 5
    sampler.walk()
    assert len(told) == 2
    assert sampler.latest("a").disk_bytes < MIB
    assert sampler.latest("a").disk_peak_bytes >= MIB


def test_where_no_memory_changed_no_reader_is_asked():
    changed = [False, True]
    sampler = Sampler(1.0, memory_changed=lambda: changed.pop(0))
    reader = Reader(at(1), memory=[at(1.1, memory_anon_bytes=5)])
    sampler.add("a", reader, [])
    sampler.sample_memory()
    assert len(reader.memory) == 1
    sampler.sample_memory()
    assert not reader.memory


def test_a_directory_that_stays_the_same_is_walked_less_often_until_it_changes(tmp_path):
    clock = Clock()
    sampler = Sampler(1.0, clock=clock)
    told = []
    sampler.on_disk = lambda _job_id, used: told.append(used)
    sampler.add("a", Reader(at(1)), [tmp_path])
    for pause in (0, 5, 7.5, 11.25, 15, 15):
        clock.now += pause
        sampler.walk()
    assert len(told) == 1
    (tmp_path / "file").write_bytes(b"x" * MIB)
    clock.now += 14
    sampler.walk()
    assert len(told) == 1
    clock.now += 1
    sampler.walk()
    assert len(told) == 2
    (tmp_path / "more").write_bytes(b"x" * MIB)
    clock.now += 5
    sampler.walk()
    assert len(told) == 3


def test_the_threads_wait_for_a_first_job_sample_it_and_stop():
    sampler = Sampler(0.01)
    sampler.start()
    seen = threading.Event()

    class Live(Reader):
        def sample(self):
            seen.set()
            return at(1)

    sampler.add("a", Live(), [])
    assert seen.wait(10)
    sampler.stop()
    assert sampler.latest("a") is None
    idle = Sampler(0.01)
    idle.start()
    idle.stop()


def test_the_gpus_of_a_job_are_in_its_figures_and_a_failed_reading_is_counted():
    watch = GpuWatch(1.0)
    readings = {"a": Reading(0.5, 7)}

    class Driver:
        def read(self, uuid):
            if uuid not in readings:
                watch.on_error(OSError("lost"))
            return readings.get(uuid, Reading())

    watch._nvml = Driver()
    sampler = Sampler(1.0, gpus=watch)
    sampler.add("j", Reader(at(1, 0.5)), [], gpus=["a", "b"])
    watch.read()
    sampler.sample()
    known = GpuFigures(uuid="a", utilization_ratio=0.5, memory_used_bytes=7, memory_peak_bytes=7)
    assert sampler.latest("j").gpus == (known, GpuFigures(uuid="b"))
    assert sampler.errors["gpu"] == 1
    assert sampler.finish("j").gpus == (GpuFigures(uuid="a", memory_peak_bytes=7), GpuFigures(uuid="b"))


def test_a_job_without_gpus_has_none_in_its_figures():
    sampler = Sampler(1.0)
    sampler.add("j", Reader(at(1, 0.5)), [])
    sampler.sample()
    assert sampler.latest("j").gpus == sampler.finish("j").gpus == ()
