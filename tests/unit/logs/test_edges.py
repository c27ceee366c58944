"""What only shows where several things come together: parts of lines, searches, limits, full disks, odd expressions."""

from contextlib import closing
from unittest import mock

import anyio
import pytest

from fluster.cri import CriWriter, read_counts
from fluster.cri import files as module
from fluster.cri.files import LogFiles
from fluster.errors import InvalidArgumentError
from fluster.logs import LogFilter, scan
from fluster.logs.position import START, parse_cursor
from fluster.logs.query import LogQuery
from fluster.logs.retention import Retention

pytestmark = pytest.mark.anyio
NOW = 1_795_453_731 * 10**9


async def found(store, **wanted):
    return (await store.query("job", LogFilter(**wanted))).entries


@pytest.mark.parametrize(
    ("regex", "texts"),
    [
        ("[[:digit:]]+", [b"error 500", b"took 12 ms"]),
        ("[[:space:]]12", [b"took 12 ms"]),
        (r"\\p{^L}", [b"error 500", b"took 12 ms", b"!"]),
        (r"^\\p{^L}+$", [b"!"]),
        (r"\\x{21}", [b"!"]),
    ],
)
async def test_classes_of_re2_find_what_they_mean(store, regex, texts):
    with CriWriter(store.job_path("job")) as log:
        log.write("stdout", NOW, b"error 500\ntook 12 ms\nabc\n!\n")
    assert [entry.data for entry in await found(store, regex=regex.replace("\\\\", "\\"))] == texts


async def test_a_search_counts_what_it_skipped_before_a_line_in_parts(store, monkeypatch):
    monkeypatch.setattr("fluster.cri.files.SPACING_BYTES", 10_000)
    with CriWriter(store.job_path("job"), max_line_bytes=1000) as log:
        for number in range(200):
            log.write("stdout", NOW + number * 10**6, b"".join(b"line %d\n" % (number * 100 + n) for n in range(100)))
        log.write("stdout", NOW + 10**9, b"x" * 3000 + b"\nneedle\n")
    (entry,) = await found(store, regex="needle")
    (last,) = await found(store, tail=1)
    assert entry.sequence == last.sequence == 20_001
    assert entry.cursor == last.cursor


@pytest.mark.parametrize("wanted", [{"tail": 5}, {"tail": 5, "regex": "end"}, {"since_ns": NOW + 1}, {"regex": "end"}])
async def test_a_line_whose_beginning_was_dropped_breaks_no_question(store, wanted):
    with CriWriter(store.job_path("job"), max_line_bytes=1000, segment_bytes=8000, limit_bytes=32_000) as log:
        for _ in range(100):
            log.write("stdout", NOW, b"x" * 1000)
        log.write("stderr", NOW + 5, b"end\n")
        entries = await found(store, **wanted)
        assert entries[-1].data == b"end"


async def test_followers_of_a_line_without_end_rest_and_end(store, monkeypatch):
    reads = []
    after = LogQuery.after
    monkeypatch.setattr(LogQuery, "after", lambda self, position: reads.append(position) or after(self, position))
    grew, looks = store._grew, []
    monkeypatch.setattr(store, "_grew", lambda *place: looks.append(place) or grew(*place))
    over = False
    ended = []

    async def follow(**wanted):
        async for _ in store.follow("job", LogFilter(**wanted), lambda: over):
            pass
        ended.append(wanted)

    log = CriWriter(store.job_path("job"), max_line_bytes=1000)
    log.write("stdout", NOW, b"first\n")
    log.write("stdout", NOW, b"x" * 5000)
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: follow(tail=10))
            while not store._tails:
                await anyio.sleep(0.001)
            tasks.start_soon(follow)
            while not reads:
                await anyio.sleep(0.001)
            while len(looks) < 8:  # time in which a busy follower would read a hundred times
                await anyio.sleep(0.001)
            over = True
    assert len(ended) == 2
    assert len(reads) < 10
    log.abandon()


async def test_a_follower_ends_where_all_it_waited_for_was_dropped(store):
    with CriWriter(store.job_path("job"), segment_bytes=500) as log:
        log.write("stdout", NOW, b"first\n")
        slow = store.follow("job", LogFilter(), lambda: True)
        await anext(slow)
        for number in range(100):
            log.write("stdout", NOW, b"%d\n" % number)
    fast = store.follow("job", LogFilter(tail=1), lambda: True)
    await anext(fast)
    with store._tail("job", START) as tail:  # another one is at the end
        tail._end = parse_cursor((await found(store, tail=1))[0].cursor)
        Retention(store.root, limit_bytes=1, keep_seconds=10**9).tend(())
        with anyio.fail_after(20):
            assert [batch async for batch in slow] == []
    await fast.aclose()


async def test_a_tail_is_bounded_in_bytes_too(store, monkeypatch):
    monkeypatch.setattr("fluster.logs.query._PAGE_BYTES", 10_000)
    with CriWriter(store.job_path("job")) as log:
        for number in range(50):
            log.write("stdout", NOW + number, b"%02d" % number + b"x" * 998 + b"\n")
    for wanted in ({"tail": 40}, {"tail": 40, "regex": "x"}):
        assert [entry.data[:2] for entry in await found(store, **wanted)] == [b"%02d" % n for n in range(40, 50)]


async def test_a_window_from_the_end_has_a_next_page(store):
    with CriWriter(store.job_path("job")) as log:
        log.write("stdout", NOW, b"".join(b"%d\n" % number for number in range(100)))
    page = await store.query("job", LogFilter(start_line=-50, max_lines=10))
    rest = await store.query("job", LogFilter(cursor=page.next_cursor))
    assert [entry.data for entry in page.entries + rest.entries] == [b"%d" % number for number in range(50, 100)]


async def test_a_search_without_end_is_ended(store, monkeypatch):
    monkeypatch.setattr(scan, "_SECONDS", -1)
    with CriWriter(store.job_path("job")) as log:
        log.write("stdout", NOW, b"a\n")
    with pytest.raises(InvalidArgumentError, match="takes longer"):
        await found(store, regex="a")


async def test_a_disk_without_room_for_the_floor_or_a_name_ends_no_job(store, monkeypatch):
    monkeypatch.setattr(module, "drop_segments", mock.Mock(side_effect=OSError(28, "no space")))
    rename, calls = module._renamed, []
    monkeypatch.setattr(
        module, "_renamed", lambda *names: len(calls.append(names) or calls) % 3 == 0 and rename(*names)
    )
    with CriWriter(store.job_path("job"), segment_bytes=500, limit_bytes=3000) as log:
        for number in range(300):
            log.write("stdout", NOW + number, b"%d\n" % number)
    assert len(calls) > 3
    assert [entry.data for entry in await found(store)] == [b"%d" % number for number in range(300)]
    assert [entry.data for entry in await found(store, tail=200)] == [b"%d" % number for number in range(100, 300)]


async def test_what_stands_in_a_closed_file_is_counted_before_it_is_closed(store, monkeypatch):
    class Killed(BaseException):
        pass

    write_counts = LogFiles._write_counts

    def dying(self):
        if self.counts.segment > 1:
            raise Killed
        write_counts(self)

    monkeypatch.setattr(LogFiles, "_write_counts", dying)
    log = CriWriter(store.job_path("job"), segment_bytes=500)
    with pytest.raises(Killed):  # noqa: PT012 # some write or other
        for number in range(100):
            log.write("stdout", NOW + number, b"%d\n" % number)
    assert read_counts(store.job_path("job")).stdout_lines == number + 1
    monkeypatch.undo()
    with CriWriter(store.job_path("job"), segment_bytes=500) as log:
        assert log.surplus == []
        assert log.counts.stdout_lines == number + 1


async def test_a_last_line_that_was_none_after_all_has_its_newline_in_the_size(store):
    with CriWriter(store.build_path("job")) as log:
        log.write("stderr", NOW, b"no newline")
        log.flush_tails()
        log.line("error: it failed", stream="stderr")
    with closing(await store.download("job", ["build"])) as download:
        text = b"".join([block async for block in download.blocks()])
    assert text == b"no newline\nerror: it failed\n"
    assert download.size == len(text)


async def test_a_disk_without_room_to_compress_still_drops(store, monkeypatch):
    with CriWriter(store.job_path("job"), segment_bytes=500) as log:
        for number in range(100):
            log.write("stdout", NOW, b"%d\n" % number)
    monkeypatch.setattr("fluster.logs.retention.pack", mock.Mock(side_effect=OSError(28, "no space")))
    tend = Retention(store.root, limit_bytes=1500, keep_seconds=10**12, grace_seconds=0)
    with pytest.raises(OSError, match="no space"):
        tend.tend(())
    assert 0 < tend.bytes <= 1500
