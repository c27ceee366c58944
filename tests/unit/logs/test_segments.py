"""Every question is answered the same whether a log is in one file or in many, compressed, in parts, or without its beginning."""

import re
from contextlib import closing

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fluster.cri import CriWriter, read_floor
from fluster.logs import LogFilter, LogStore
from fluster.logs.retention import Retention

START = 1_795_453_731 * 10**9
TEXTS = st.lists(
    st.sampled_from([b"a", b"\n", b"\n", b"err", b"\xff", b"\r", b" F ", b"stdout", b"xyz"]), max_size=12
).map(b"".join)
WRITES = st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), TEXTS, st.integers(-3, 9)), max_size=40)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "sources": st.sets(st.sampled_from(["build", "stdout", "stderr"]), min_size=1).map(frozenset),
        "since_ns": st.integers(-5, 60).map(lambda n: START + n),
        "until_ns": st.integers(-5, 60).map(lambda n: START + n),
        "regex": st.sampled_from(["err", "xyz|err", "a.*err", "^a", "a$", "err(a|x)y?", "(?i)ERR", "[^a]err", "\\\\xff", "std.ut", "^$"]),
    },
)  # fmt: skip


def later(before, now):
    """No two lines of a stream have the same time."""
    return before + 1 if 0 <= before - now < 10**9 else now


def write(store, writes, **bounds):
    """Returns (source, time, text, place) of each line."""
    expected, held, last, times = [], {}, {}, {"stdout": 0, "stderr": 0}
    with CriWriter(store.build_path("job"), **bounds) as log:
        for number in range(3):
            log.line(f"build {number} err", timestamp_ns=START - 3 + number)
            expected.append(("build", START - 3 + number, b"build %d err" % number))
    with CriWriter(store.job_path("job"), **bounds) as log:
        for number, (stream, data, step) in enumerate(writes):
            now = START + number + step
            log.write(stream, now, data)
            *lines, held[stream] = (held.get(stream, b"") + data).split(b"\n")
            for line in lines:
                times[stream] = later(times[stream], now)
                expected.append((stream, times[stream], line))
            if held[stream] and data:
                last[stream] = now
    tails = [stream for stream in ("stdout", "stderr") if held.get(stream)]
    expected += [(stream, later(times[stream], last[stream]), held[stream]) for stream in tails]
    return [(*line, place) for place, line in enumerate(expected)]


def wanted_of(expected, sources=frozenset(), since_ns=None, until_ns=None, regex=None):
    return [
        line
        for line in expected
        if (not sources or line[0] in sources)
        and (since_ns is None or line[1] >= since_ns)
        and (until_ns is None or line[1] < until_ns)
        and (regex is None or re.search(regex, line[2].decode("utf-8", "replace")))
    ]


def facts(entries):
    return [(entry.source, entry.timestamp_ns, entry.data, entry.sequence) for entry in entries]


@pytest.fixture(autouse=True)
def many_marks(monkeypatch):
    monkeypatch.setattr("fluster.cri.files.SPACING_BYTES", 150)
    monkeypatch.setattr("fluster.logs.packed.MEMBER_BYTES", 70)
    monkeypatch.setattr("fluster.logs.log_file.BLOCK_BYTES", 100)
    monkeypatch.setattr("fluster.logs.seek._BLOCK", 90)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(
    WRITES,
    FILTERS,
    st.integers(1, 8),
    st.integers(1, 30),
    st.sampled_from([60, 300, 10**6]),
    st.sampled_from([3, 1000]),
    st.booleans(),
)
def test_pages_tails_windows_and_cursors(tmp_path_factory, writes, wanted, limit, tail, segment_bytes, max_line, packed):  # fmt: skip
    store = LogStore(tmp_path_factory.mktemp("logs"))
    store.create("job")
    expected = write(store, writes, segment_bytes=segment_bytes, max_line_bytes=max_line)
    found = wanted_of(expected, **wanted)
    if packed:
        Retention(store.root, limit_bytes=10**9, keep_seconds=10**9, grace_seconds=0).tend({"job"})

    async def check():
        pages, cursor = [], ""
        while True:
            page = await store.query("job", LogFilter(**wanted, max_lines=limit, cursor=cursor))
            pages += page.entries
            assert len(page.entries) <= limit
            if not (cursor := page.next_cursor):
                break
        assert facts(pages) == found
        assert facts((await store.query("job", LogFilter(**wanted, tail=tail))).entries) == found[-tail:]
        window = await store.query("job", LogFilter(**wanted, start_line=tail, max_lines=limit))
        assert facts(window.entries) == found[tail:][:limit]
        window = await store.query("job", LogFilter(**wanted, start_line=-tail, max_lines=limit))
        assert facts(window.entries) == found[-tail:][:limit]
        for entry in pages:
            rest = await store.query("job", LogFilter(**wanted, max_lines=2, cursor=entry.cursor))
            assert facts(rest.entries) == [line for line in found if line[3] > entry.sequence][:2]
        followed = [batch async for batch in store.follow("job", LogFilter(**wanted), lambda: True)]
        assert facts(entry for batch in followed for entry in batch.entries) == found

    anyio.run(check)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=80)
@given(
    WRITES,
    st.sampled_from([60, 300, 10**6]),
    st.sampled_from([3, 1000]),
    st.booleans(),
    st.integers(0, 200),
    st.integers(0, 200),
)
def test_a_download_gives_the_bytes_as_they_were_written(tmp_path_factory, writes, segment_bytes, max_line, packed, start, size):  # fmt: skip
    store = LogStore(tmp_path_factory.mktemp("logs"))
    store.create("job")
    write(store, writes, segment_bytes=segment_bytes, max_line_bytes=max_line)
    if packed:
        Retention(store.root, limit_bytes=10**9, keep_seconds=10**9, grace_seconds=0).tend({"job"})

    async def text(*sources, **span):
        with closing(await store.download("job", sources)) as download:
            return download.size, b"".join([block async for block in download.blocks(**span)])

    async def check():
        for stream in ("stdout", "stderr"):
            written = b"".join(data for each, data, _ in writes if each == stream)
            known, found = await text(stream)
            assert found == written
            if known is not None:
                assert known == len(written)
                assert (await text(stream, start=start, end=start + size))[1] == written[start : start + size]
        known, found = await text("stdout", "stderr")
        assert known in {None, len(found)}

    anyio.run(check)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=80)
@given(st.integers(1, 80), st.integers(1, 30), st.sampled_from([3, 1000]), st.booleans())
def test_what_is_left_of_a_log_says_how_much_is_missing(tmp_path_factory, lines, tail, max_line, packed):
    store = LogStore(tmp_path_factory.mktemp("logs"))
    store.create("job")
    writes = [("stderr" if n % 3 else "stdout", b"%04d" % n + b"x" * (n % 7) + b"\n", 0) for n in range(lines)]
    expected = write(store, writes, segment_bytes=200, limit_bytes=1000, max_line_bytes=max_line)
    if packed:
        Retention(store.root, limit_bytes=10**9, keep_seconds=10**9, grace_seconds=0).tend({"job"})
    floor = read_floor(store.job_path("job"))
    kept = [line for line in expected if line[0] == "build" or line[3] >= 3 + floor.lines]

    async def check():
        entries = (await store.query("job", LogFilter())).entries
        assert facts(entries) == kept
        assert [entry.dropped for entry in entries if entry.dropped] == ([floor.lines] if floor.lines else [])
        assert sum(store.counts("job").retired.values()) == floor.lines
        assert facts((await store.query("job", LogFilter(tail=tail))).entries) == kept[-tail:]
        window = await store.query("job", LogFilter(start_line=tail, max_lines=5))
        assert facts(window.entries) == [line for line in kept if line[3] >= tail][:5]
        # A cursor from before the drop goes on with what is left, and says what it missed.
        old = await store.query("job", LogFilter(cursor="j0-0-3"))
        assert facts(old.entries) == kept[3:]
        assert old.entries[0].dropped == floor.lines
        with closing(await store.download("job", ["stdout"])) as download:
            text = b"".join([block async for block in download.blocks()])
        assert text.startswith(b"[%d lines are missing here]\n" % floor.lines) == (floor.lines > 0)
        assert text.endswith(b"".join(line[2] + b"\n" for line in kept if line[0] == "stdout"))

    anyio.run(check)
