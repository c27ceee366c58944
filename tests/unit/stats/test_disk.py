import os

from fluster.job import Figures
from fluster.runtime import Point
from fluster.stats import Sampler
from fluster.stats.disk import Walk

MIB = 1024 * 1024


class Ticks:
    """Monotonic seconds that pass at each look."""

    def __init__(self, step):
        self.now, self.step = 0.0, step

    def __call__(self):
        self.now += self.step
        return self.now


def whole(*paths):
    walk = Walk(paths)
    assert walk.advance(60)
    return walk.used_bytes


def test_hard_links_count_once_and_symlinks_lead_nowhere(tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "big").write_bytes(b"x" * 4 * MIB)
    (inside / "a").write_bytes(b"x" * MIB)
    os.link(inside / "a", inside / "b")
    (inside / "link").symlink_to(outside)
    assert MIB <= whole(inside) < 2 * MIB
    assert whole(tmp_path / "missing") == 0
    assert whole(inside, outside) >= 5 * MIB


def test_a_walk_in_slices_finds_what_a_whole_one_finds(tmp_path):
    for folder in range(10):
        (tmp_path / str(folder)).mkdir()
        for name in range(100):
            (tmp_path / str(folder) / str(name)).write_bytes(b"x" * 5000)
    walk = Walk([tmp_path], clock=Ticks(0.001))
    slices = 1
    while not walk.advance(0.002):
        slices += 1
    assert slices > 3
    assert walk.used_bytes == whole(tmp_path)
    assert walk.spent_seconds >= slices * 0.002


def test_a_large_tree_costs_a_slice_a_turn_and_keeps_nobody_from_their_turn(tmp_path):
    large, small = tmp_path / "large", tmp_path / "small"
    large.mkdir()
    small.mkdir()
    for name in range(5000):
        (large / str(name)).touch()

    class Reader:
        def sample(self):
            return Point(1)

        def sample_memory(self):
            return None

        def figures(self, **seen):
            return Figures(**seen)

    sampler = Sampler(1.0, clock=Ticks(0.001))
    told = []
    sampler.on_disk = lambda job_id, _used: told.append(job_id)
    sampler.add("large", Reader(), [large])
    sampler.add("small", Reader(), [small])
    turns = 0
    while len(told) < 2:
        sampler.walk()
        turns += 1
        assert turns < 100
    assert told == ["small", "large"]
    assert turns >= 5
