"""A log in many files: what is written comes back, in order, whatever is closed, dropped or torn."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluster.cri import CriWriter, Resume, parse_line, read_counts, read_floor
from fluster.cri.marks import START, marks, marks_path
from fluster.cri.segments import segments

NOW = 1_795_453_731_379_364_092
WRITES = st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.integers(0, 90), st.booleans()), max_size=60)


def text_of(path):
    closed = b"".join(Path(each.path).read_bytes() for each in segments(path))
    return closed + path.read_bytes()


def entries_of(path):
    return [parse_line(raw) for raw in text_of(path).split(b"\n")[:-1]]


@given(WRITES, st.integers(50, 600))
def test_what_is_written_stands_in_the_files_in_order_over_any_restart(tmp_path_factory, writes, segment_bytes):
    path = tmp_path_factory.mktemp("log") / "job.log"
    expected = []
    writer = CriWriter(path, segment_bytes=segment_bytes)
    for number, (stream, size, killed) in enumerate(writes):
        data = b"%d " % number + b"x" * size
        writer.write(stream, NOW + number, data + b"\n")
        expected.append((stream, NOW + number, data))
        if killed:
            writer.abandon()
            writer = CriWriter(path, segment_bytes=segment_bytes)
    writer.close()
    assert [(line.stream, line.timestamp_ns, line.data) for line in entries_of(path)] == expected
    counts = read_counts(path)
    assert counts.lines == len(expected)
    assert counts.end == len(text_of(path))
    assert counts.size == path.stat().st_size
    assert counts.segment == len(segments(path)) + 1
    assert all(each.size >= segment_bytes for each in segments(path))


def marks_of(path):
    index = os.open(marks_path(path), os.O_RDONLY)
    try:
        return list(marks(index))
    finally:
        os.close(index)


def test_each_mark_says_what_stands_before_it(tmp_path, monkeypatch):
    monkeypatch.setattr("fluster.cri.files.SPACING_BYTES", 300)
    path = tmp_path / "job.log"
    with CriWriter(path, segment_bytes=1000, max_line_bytes=80) as writer:
        for number in range(60):
            writer.write("stderr" if number % 3 else "stdout", NOW - number, b"y" * (number * 7 % 200) + b"\n")
    text, before = text_of(path), START
    found = marks_of(path)
    assert len(found) > 10
    for mark in found:
        lines = [parse_line(raw) for raw in text[: mark.offset].split(b"\n")[:-1]]
        out = [line for line in lines if line.stream == "stdout"]
        assert mark.stdout_lines == sum(not line.partial for line in out)
        assert mark.stdout_bytes == sum(len(line.data) + (not line.partial) for line in out)
        assert mark.lines == sum(not line.partial for line in lines)
        assert mark.latest_ns == max(line.timestamp_ns for line in lines)
        since = [parse_line(raw).timestamp_ns for raw in text[before.offset : mark.offset].split(b"\n")[:-1]]
        assert not since or mark.earliest_ns == min(since)
        before = mark
    begins = [sum(each.size for each in segments(path)[:n]) for n in range(1, len(segments(path)) + 1)]
    firsts = {}
    for mark in found:
        firsts.setdefault(mark.segment, mark.offset)
    assert [firsts[number] for number in range(2, len(begins) + 2)] == begins


def test_a_log_beyond_its_limit_loses_the_oldest_files_and_counts_their_lines(tmp_path):
    path = tmp_path / "job.log"
    with CriWriter(path, segment_bytes=1000, limit_bytes=5000) as writer:
        for number in range(500):
            writer.write("stderr" if number % 2 else "stdout", NOW, b"%03d" % number + b"z" * 40 + b"\n")
        counts = writer.counts
    floor = read_floor(path)
    kept = entries_of(path)
    assert sum(each.size for each in segments(path)) + path.stat().st_size <= 5000
    assert len(kept) > 40
    assert kept[-1].data.startswith(b"499")
    assert floor.lines == 500 - len(kept)
    assert floor.segment == segments(path)[0].number
    assert floor.offset == counts.end - len(text_of(path))
    assert counts.lines == 500


def test_the_index_of_a_log_without_end_has_an_end(tmp_path, monkeypatch):
    monkeypatch.setattr("fluster.cri.files._IDLE_INDEX_BYTES", 0)
    path = tmp_path / "job.log"
    with CriWriter(path, segment_bytes=1000, limit_bytes=5000) as writer:
        for _ in range(3000):
            writer.write("stdout", NOW, b"z" * 60 + b"\n")
    found = marks_of(path)
    assert len(found) < 20
    assert found[-1].offset > read_floor(path).offset


@pytest.mark.parametrize("what", ["counts", "index"])
def test_without_the_file_beside_it_the_log_goes_on(tmp_path, what):
    path = tmp_path / "job.log"
    for number in range(100):
        with CriWriter(path, segment_bytes=1000) as writer:
            writer.write("stdout", NOW + number, b"line %d\n" % number)
    expected = text_of(path)
    (tmp_path / f".job.log.{what}").unlink()
    with CriWriter(path, segment_bytes=1000) as writer:
        assert writer.counts.stdout_lines == 100
        writer.write("stdout", NOW, b"after\n")
    assert text_of(path).startswith(expected)
    assert entries_of(path)[-1].data == b"after"


def test_a_crash_in_the_middle_of_a_rotation_loses_nothing(tmp_path):
    path = tmp_path / "job.log"
    with CriWriter(path, segment_bytes=10_000) as writer:
        writer.write("stdout", NOW, b"one\n")
    path.rename(f"{path}.000001")
    with CriWriter(path, segment_bytes=10_000) as writer:
        writer.write("stdout", NOW, b"two\n")
        assert writer.counts.segment == 2
        assert writer.counts.stdout_lines == 2
    assert [line.data for line in entries_of(path)] == [b"one", b"two"]
    assert [(mark.segment, mark.offset) for mark in marks_of(path)] == [(2, len(text_of(path)) // 2)]


def test_a_young_file_is_not_closed_before_agents_saw_it_unless_it_is_far_too_large(tmp_path, monkeypatch):
    now = 100.0
    monkeypatch.setattr("fluster.cri.files.CALM_SECONDS", 30)
    monkeypatch.setattr("fluster.cri.files.time.monotonic", lambda: now)
    path = tmp_path / "job.log"
    with CriWriter(path, segment_bytes=1000) as writer:
        for _ in range(50):
            writer.write("stdout", NOW, b"z" * 60 + b"\n")
        assert writer.counts.segment == 1
        now = 130.0
        writer.write("stdout", NOW, b"z" * 60 + b"\n")
        assert writer.counts.segment == 2
        for _ in range(100):
            writer.write("stdout", NOW, b"z" * 60 + b"\n")
    assert [8000 <= each.size < 8200 for each in segments(path)] == [False, True]


def test_what_a_crash_left_uncounted_is_counted_with_the_next_commit_however_often_it_crashes(tmp_path):
    path = tmp_path / "job.log"
    resume = Resume(7, 0, 0, 0, 0)
    writer = CriWriter(path)
    writer.add("stdout", NOW, b"one\n")
    assert writer.commit(resume)
    writer.abandon()
    with path.open("ab") as file:
        file.write(b"2026-11-23T17:08:52.379364092Z stdout F two\n")
    for _ in range(3):
        writer = CriWriter(path)
        assert writer.surplus == [("stdout", NOW + 10**9, 4)]
        assert writer.resume == resume
        writer.abandon()
    assert read_counts(path).stdout_lines == 1
    with CriWriter(path):
        pass
    assert read_counts(path).stdout_lines == 2
    writer = CriWriter(path)
    assert writer.commit(Resume(9, 0, 0, 0, 0))
    writer.abandon()
    writer = CriWriter(path)
    assert (writer.surplus, writer.resume.origin, writer.counts.stdout_lines) == ([], 9, 2)
    writer.close()


def test_what_came_in_one_go_is_kept_however_small_the_limit(tmp_path):
    path = tmp_path / "job.log"
    with CriWriter(path, segment_bytes=1000, limit_bytes=5000) as writer:
        for go in range(3):
            writer.write("stdout", NOW, b"".join(b"%d %d\n" % (go, number) for number in range(500)))
    kept = b"".join(each.read_bytes() for each in sorted(tmp_path.glob("job.log*")))
    assert kept.count(b"\n") >= 500
    assert kept.endswith(b" stdout F 2 499\n")
    assert read_floor(path).lines == 1500 - kept.count(b"\n")
