"""Closed files are compressed after a while, the oldest go where all logs are too large or too old, and what goes is counted."""

import gzip
import os
import shutil
from pathlib import Path

import pytest

from fluster.cri import CriWriter, read_floor
from fluster.cri.segments import segments
from fluster.logs import LogFilter, LogStore
from fluster.logs.retention import Retention

pytestmark = pytest.mark.anyio
NOW = 1_795_453_731
LINES = 60


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path):
    return LogStore(tmp_path)


def write(store, job_id, at, lines=LINES):
    """Some files of about 1000 bytes, as old as `at`."""
    store.create(job_id)
    with CriWriter(store.job_path(job_id), segment_bytes=1000) as log:
        for number in range(lines):
            log.write("stdout", at * 10**9 + number, b"%04d" % number + b"x" * 46 + b"\n")
    for path in store.directory(job_id).iterdir():
        os.utime(path, (at, at))


def retention(store, clock, **limits):
    return Retention(
        store.root, **{"limit_bytes": 10**9, "keep_seconds": 10**9} | limits, grace_seconds=100, clock=clock
    )


async def texts(store, job_id):
    return [entry.data[:4] for entry in (await store.query(job_id, LogFilter(max_lines=1000))).entries]


async def test_a_closed_file_is_compressed_after_its_grace_and_the_log_is_the_same(store, clock):
    write(store, "job", NOW)
    before = await texts(store, "job")
    plain = [(each.number, Path(each.path).read_bytes()) for each in segments(store.job_path("job"))]
    tend = retention(store, clock)
    clock.now = NOW + 99
    assert tend.tend({"job"}) == 0
    assert not any(each.packed for each in segments(store.job_path("job")))
    clock.now = NOW + 101
    assert tend.tend({"job"}) == 0
    found = segments(store.job_path("job"))
    assert len(found) > 3
    assert all(each.packed for each in found)
    assert [(each.number, gzip.decompress(Path(each.path).read_bytes())) for each in found] == plain
    assert await texts(store, "job") == before
    assert len(before) == LINES


async def test_the_oldest_of_all_logs_go_first_and_are_counted(store, clock):
    write(store, "old", NOW - 50)
    write(store, "new", NOW)
    size = retention(store, clock)
    size.tend(())
    total = size.bytes
    assert total > 2 * LINES * 60
    dropped = retention(store, clock, limit_bytes=total - 2500).tend(())
    assert dropped > 1
    assert len(await texts(store, "new")) == LINES
    left = await texts(store, "old")
    assert left == [b"%04d" % number for number in range(LINES - len(left), LINES)]
    assert store.counts("old").retired == {"stdout": LINES - len(left), "stderr": 0}
    entries = (await store.query("old", LogFilter())).entries
    assert entries[0].dropped == LINES - len(left)


async def test_a_log_that_nobody_writes_goes_to_its_last_line(store, clock):
    write(store, "job", NOW)
    files = len(segments(store.job_path("job"))) + 1
    assert retention(store, clock, limit_bytes=1).tend(()) == files > 3
    assert await texts(store, "job") == []
    assert store.counts("job").retired["stdout"] == LINES
    assert store.counts("job").lines["stdout"] == LINES
    assert (await store.query("job", LogFilter(tail=5))).entries == []
    assert not store.job_path("job").exists()


async def test_of_a_log_that_is_written_the_last_file_stays_and_the_writer_goes_on(store, clock):
    store.create("job")
    with CriWriter(store.job_path("job"), segment_bytes=1000) as log:
        for number in range(LINES):
            log.write("stdout", NOW * 10**9, b"%04d" % number + b"x" * 46 + b"\n")
        retention(store, clock, limit_bytes=1).tend({"job"})
        assert store.job_path("job").exists()
        log.write("stdout", NOW * 10**9, b"after\n")
    assert (await texts(store, "job"))[-1] == b"afte"
    assert read_floor(store.job_path("job")).stdout_lines > 0


async def test_what_is_too_old_goes(store, clock):
    write(store, "old", NOW - 1000)
    write(store, "new", NOW)
    retention(store, clock, keep_seconds=500).tend(())
    assert await texts(store, "old") == []
    assert len(await texts(store, "new")) == LINES


async def test_a_pass_looks_closely_only_at_what_changed(store, clock, monkeypatch):
    write(store, "done", NOW)
    tend = retention(store, clock)
    clock.now = NOW + 101
    tend.tend(())
    looked = []
    monkeypatch.setattr("fluster.logs.retention.segments", lambda path: looked.append(path) or [])
    tend.tend(())
    assert looked == []
    store.remove("done")
    tend.tend(())
    assert tend.bytes == 0


async def test_a_crash_between_moving_the_floor_and_removing_the_files_is_mended(store, clock):
    write(store, "job", NOW)
    first = segments(store.job_path("job"))[0]
    shutil.copy(first.path, store.root / "kept")
    retention(store, clock, limit_bytes=5500).tend(())
    shutil.copy(store.root / "kept", first.path)
    (store.root / "kept").unlink()
    retention(store, clock).tend(())
    assert first.number not in {each.number for each in segments(store.job_path("job"))}


async def test_a_query_goes_on_where_files_are_dropped_under_it(store, clock, monkeypatch):
    write(store, "job", NOW)
    from fluster.logs.log_file import LogFile

    read, calls = LogFile.read, []

    def dropping(self, offset, size):
        if self.name == "j" and not calls:
            calls.append(offset)
            retention(store, clock, limit_bytes=3000).tend(())
        return read(self, offset, size)

    monkeypatch.setattr(LogFile, "read", dropping)
    entries = (await store.query("job", LogFilter())).entries
    assert calls
    assert entries[0].dropped == LINES - len(entries) > 0


async def test_half_of_a_compressed_file_is_cleared_away(store, clock):
    write(store, "job", NOW)
    part = store.directory("job") / "job.log.000001.part"
    part.write_bytes(b"half")
    retention(store, clock).tend(())
    assert not part.exists()
