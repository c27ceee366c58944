"""Many follow one log: it is read once, all see the same, a slow one holds nobody up and misses nothing."""

import anyio
import pytest

from fluster.cri import CriWriter
from fluster.errors import InvalidArgumentError
from fluster.logs import LogFilter
from fluster.logs.query import LogQuery
from fluster.logs.retention import Retention

pytestmark = pytest.mark.anyio
NOW = 1_795_453_731 * 10**9


async def test_ten_followers_over_many_files_see_the_same_and_the_log_is_read_once(store, monkeypatch):
    reads = []
    after = LogQuery.after
    monkeypatch.setattr(LogQuery, "after", lambda self, position: reads.append(position) or after(self, position))
    over = False
    seen = [[] for _ in range(10)]

    async def follow(found):
        async for batch in store.follow("job", LogFilter(), lambda: over):
            found += [(entry.sequence, entry.data) for entry in batch.entries]

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            for found in seen:
                tasks.start_soon(follow, found)
            with CriWriter(store.job_path("job"), segment_bytes=2000) as log:
                for number in range(300):
                    log.write("stdout", NOW + number, b"%d\n" % number)
                    if number % 30 == 29:
                        while len(seen[0]) <= number:
                            await anyio.sleep(0.001)
            Retention(store.root, limit_bytes=10**9, keep_seconds=10**9, grace_seconds=0).tend(())
            over = True
    assert all(found == [(number, b"%d" % number) for number in range(300)] for found in seen)
    assert len(reads) == len(set(reads)) <= 40


async def test_a_slow_follower_reads_at_its_own_pace_and_misses_nothing(store, monkeypatch):
    monkeypatch.setattr("fluster.logs.tail._KEPT_BYTES", 500)
    over = False
    fast, slow = [], []

    async def follow_fast():
        async for batch in store.follow("job", LogFilter(), lambda: over):
            fast.extend(entry.data for entry in batch.entries)

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            with CriWriter(store.job_path("job")) as log:
                log.write("stdout", NOW, b"first\n")
                follower = store.follow("job", LogFilter(), lambda: over)
                slow += [entry.data for entry in (await anext(follower)).entries]
                tasks.start_soon(follow_fast)
                for number in range(200):
                    log.write("stdout", NOW, b"%d" % number + b"x" * 20 + b"\n")
                    if number % 50 == 49:
                        while len(fast) <= number:
                            await anyio.sleep(0.001)
            over = True
        slow += [entry.data async for entry in _entries(follower)]
    assert slow == fast
    assert len(slow) == 201


async def _entries(follower):
    async for batch in follower:
        for entry in batch.entries:
            yield entry


async def test_a_follower_that_the_limits_overtook_is_told_what_it_missed(store):
    with CriWriter(store.job_path("job"), segment_bytes=500, limit_bytes=2000) as log:
        log.write("stdout", NOW, b"first\n")
        follower = store.follow("job", LogFilter(), lambda: True)
        assert [entry.data for entry in (await anext(follower)).entries] == [b"first"]
        for number in range(100):
            log.write("stdout", NOW, b"%d" % number + b"x" * 20 + b"\n")
    entries = [entry async for entry in _entries(follower)]
    assert entries[0].dropped == 100 - len(entries) > 0
    assert entries[0].sequence == 101 - len(entries)
    assert sum(entry.dropped for entry in entries) == entries[0].dropped


async def test_what_a_door_makes_of_a_batch_is_made_once(store):
    with CriWriter(store.job_path("job")) as log:
        log.write("stdout", NOW, b"a\n")
    made = []

    def encode(entries):
        made.append(entries)
        return b"encoded"

    async with anyio.create_task_group() as tasks:

        async def follow():
            async for batch in store.follow("job", LogFilter(), lambda: True):
                assert batch.made(encode) == b"encoded"

        for _ in range(5):
            tasks.start_soon(follow)
    assert len(made) == 1


async def test_a_cursor_behind_the_end_is_refused_and_holds_nobody_up(store):
    with CriWriter(store.job_path("job")) as log:
        log.write("stdout", NOW, b"one\n")
        forged = LogFilter(cursor="j0-ffffff-1")
        with pytest.raises(InvalidArgumentError, match="behind the end"):
            await anext(store.follow("job", forged, lambda: True))
        with pytest.raises(InvalidArgumentError, match="behind the end"):
            await store.query("job", forged)
        assert not store._tails
    (entry,) = (await store.query("job", LogFilter())).entries
    assert (await store.query("job", LogFilter(cursor=entry.cursor))).entries == []
