"""Rows and hits are those that reading the whole log gives, however it is stored."""

import re

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fluster.cri import CriWriter
from fluster.errors import InvalidArgumentError
from fluster.logs import HitsFilter, LogFilter, LogStore
from fluster.logs.log_file import LogFile
from fluster.logs.numbers import hits, row
from fluster.logs.query import LogQuery

NOW = 1_795_453_731 * 10**9
TEXTS = st.lists(st.sampled_from([b"a", b"bcd", b"efghijkl", b"\n", b"\n"]), max_size=12).map(b"".join)
SOURCES = [(), ("build",), ("stdout",), ("stderr",), ("stdout", "stderr"), ("build", "stderr")]


@pytest.fixture(autouse=True)
def small_steps(monkeypatch):
    monkeypatch.setattr("fluster.cri.files.SPACING_BYTES", 150)
    monkeypatch.setattr("fluster.logs.log_file.BLOCK_BYTES", 100)
    monkeypatch.setattr("fluster.logs.numbers.MAX_HITS", 4)


# Not both at once: where the beginning of a line is dropped, its pieces depend on where reading begins.
@pytest.mark.parametrize(("piece", "limit"), [(8, 10**9), (10**6, 900)], ids=["in pieces", "beginning dropped"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.integers(0, 3),
    st.lists(st.tuples(st.sampled_from(["stdout", "stdout", "stdout", "stderr"]), TEXTS), max_size=30),
    st.sampled_from([10**9, 400]),
    st.integers(1, 9),
    st.sampled_from(SOURCES).map(frozenset),
    st.sets(st.integers(0, 20), max_size=4),
)
def test_rows_and_hits_agree_with_reading_all(
    tmp_path_factory, monkeypatch, piece, limit, built, writes, segment, max_line, sources, places
):
    monkeypatch.setattr("fluster.cri.open_lines.PIECE_BYTES", piece)
    store = LogStore(tmp_path_factory.mktemp("logs"))
    store.create("job")
    with CriWriter(store.build_path("job")) as log:
        for number in range(built):
            log.line(f"abcd {number}", timestamp_ns=NOW)
    with CriWriter(
        store.job_path("job"), segment_bytes=segment, limit_bytes=limit, max_line_bytes=max_line
    ) as log:  # fmt: skip
        for number, (stream, data) in enumerate(writes):
            log.write(stream, NOW + number, data)
    with LogQuery.open(str(store.build_path("job")), str(store.job_path("job"))) as query:
        entries, counts = query.page(LogFilter(max_lines=10_000)).entries, store.counts("job")
        lines = {entries[place % len(entries)].sequence for place in places if entries} | {counts_all(counts) + 5}
        of_these = sources or {"build", "stdout", "stderr"}
        gone = sum(counts.retired.get(each, 0) for each in of_these)
        mine = [entry for entry in entries if entry.source in of_these]
        for line in lines:
            # A place among lines that are not kept is told only where none of them is before it.
            if not gone or (entries and line > entries[0].sequence >= built):
                kept = sum(entry.sequence < line for entry in mine if not entry.goes_on)
                assert row(query, line, sources) == gone + kept, line
        _agree(query, {entry.sequence for entry in mine if re.search(b"b.d|h", entry.data)}, sources, lines)


def counts_all(counts):
    return sum(counts.lines.values())


def _agree(query, all_hits, sources, lines):
    wanted = LogFilter(sources=sources, regex="b.d|h")
    for line in {None, *lines}:
        before = hits(query, HitsFilter(wanted, before=line))
        expected = sorted(hit for hit in all_hits if line is None or hit < line)
        assert (before.lines, before.more) == (expected[-4:], len(expected) > 4)
        if line is not None:
            after = hits(query, HitsFilter(wanted, after=line))
            expected = sorted(hit for hit in all_hits if hit > line)
            assert (after.lines, after.more) == (expected[:4], len(expected) > 4)


def test_a_row_is_found_in_a_long_log_without_reading_all_of_it(store, monkeypatch):
    with CriWriter(store.job_path("job")) as log:
        for number in range(2000):
            log.write(("stdout", "stderr")[number % 3 == 0], NOW + number, b"line %d\n" % number)
    read = []
    real = LogFile.read
    monkeypatch.setattr(LogFile, "read", lambda self, offset, size: read.append(size) or real(self, offset, size))
    assert anyio.run(store.row, "job", 1500, frozenset({"stderr"})) == 500
    assert sum(read) < 20_000


def test_a_line_in_pieces_is_skipped_as_one(store, monkeypatch):
    monkeypatch.setattr("fluster.cri.open_lines.PIECE_BYTES", 8)
    with CriWriter(store.job_path("job"), max_line_bytes=4) as log:
        log.write("stdout", NOW, b"123456789abcdefghij\nnext\nlast\n")
    page = anyio.run(store.query, "job", LogFilter(start_line=1))
    assert [(entry.data, entry.sequence) for entry in page.entries] == [(b"next", 1), (b"last", 2)]


def test_a_bad_expression_is_named(store):
    with pytest.raises(InvalidArgumentError, match="regex"):
        anyio.run(store.hits, "job", HitsFilter(LogFilter(regex="(")))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.integers(0, 400), max_size=5), st.sampled_from([10**9, 700]), st.integers(0, 5), st.integers(1, 5))
def test_rare_lines_are_found_wherever_they_are(tmp_path_factory, places, segment, skip, count):
    store = LogStore(tmp_path_factory.mktemp("logs"))
    store.create("job")
    with CriWriter(store.job_path("job"), segment_bytes=segment) as log:
        for number in range(100):
            log.write("stdout", NOW + number, b"much\n")
            for _ in range(places.count(number)):
                log.write("stderr", NOW + number, b"rare %d\n" % number)
    rare = [b"rare %d" % number for number in sorted(places) if number < 100]
    with LogQuery.open(str(store.build_path("job")), str(store.job_path("job"))) as query:
        for wanted, expected in (
            ({"start_line": skip, "max_lines": count}, rare[skip : skip + count]),
            ({"tail": count}, rare[-count:]),
            ({"regex": "r.re", "tail": count}, rare[-count:]),
            ({"since_ns": NOW + 30, "max_lines": 100}, [each for each in rare if int(each[5:]) >= 30]),
        ):
            page = query.page(LogFilter(sources=frozenset({"stderr"}), **wanted))
            assert [entry.data for entry in page.entries] == expected, wanted


def test_one_line_of_the_other_stream_is_found_without_reading_all(store, monkeypatch):
    with CriWriter(store.job_path("job")) as log:
        for number in range(2000):
            log.write("stderr" if number == 700 else "stdout", NOW + number, b"line %d\n" % number)
    read = []
    real = LogFile.read
    monkeypatch.setattr(LogFile, "read", lambda self, offset, size: read.append(size) or real(self, offset, size))
    for wanted in ({}, {"tail": 5}):
        page = anyio.run(store.query, "job", LogFilter(sources=frozenset({"stderr"}), **wanted))
        assert [entry.data for entry in page.entries] == [b"line 700"]
    assert sum(read) < 20_000
