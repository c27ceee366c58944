"""A line that no entry can hold comes in pieces: the same ones wherever reading begins, and reading begins near where it is wanted."""

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fluster.cri import CriWriter, read_counts
from fluster.logs import LogFilter, LogStore
from fluster.logs.log_file import LogFile

NOW = 1_795_453_731 * 10**9
TEXTS = st.lists(st.sampled_from([b"a", b"bcd", b"efghijkl", b"\n"]), max_size=12).map(b"".join)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr("fluster.cri.open_lines.PIECE_BYTES", 8)
    monkeypatch.setattr("fluster.cri.files.SPACING_BYTES", 150)
    monkeypatch.setattr("fluster.logs.log_file.BLOCK_BYTES", 100)


def entries_of(store, **wanted):
    return anyio.run(store.query, "job", LogFilter(**wanted)).entries


def facts(entries):
    return [(entry.source, entry.data, entry.sequence, entry.truncated, entry.goes_on) for entry in entries]


def test_a_line_that_no_entry_can_hold_comes_in_pieces(store):
    with CriWriter(store.job_path("job"), max_line_bytes=4) as log:
        log.write("stdout", NOW, b"123456789abcdefghij\nnext\n")
    assert facts(entries_of(store)) == [
        ("stdout", b"12345678", 0, True, True),
        ("stdout", b"9abcdefg", 0, True, True),
        ("stdout", b"hij", 0, True, False),
        ("stdout", b"next", 1, False, False),
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), TEXTS), max_size=30),
    st.integers(1, 4),
    st.booleans(),
    st.booleans(),
)
def test_cursors_and_tails_give_the_pieces_that_reading_all_gives(tmp_path_factory, writes, max_line, ends, reopens):
    store = LogStore(tmp_path_factory.mktemp("logs"))
    store.create("job")
    log = CriWriter(store.job_path("job"), max_line_bytes=max_line)
    for number, (stream, data) in enumerate(writes):
        log.write(stream, NOW + number, data)
        if reopens and number % 5 == 4:  # as after a crash: what was held back is gone
            log.abandon()
            log = CriWriter(store.job_path("job"), max_line_bytes=max_line)
    if ends:
        log.close()
    log.abandon()
    found = entries_of(store)
    for at, entry in enumerate(found):
        assert facts(entries_of(store, cursor=entry.cursor)) == facts(found[at + 1 :])
        assert facts(entries_of(store, tail=at + 1)) == facts(found[-at - 1 :])


def test_the_end_of_a_line_in_pieces_is_told_to_be_no_whole_line_wherever_reading_begins(store):
    with CriWriter(store.job_path("job"), max_line_bytes=8) as log:
        log.write("stdout", NOW, b"12345678" + b"9")
        log.write("stdout", NOW, b"\n")
    begun, ended = entries_of(store)
    assert (ended.data, ended.truncated) == (b"9", True)
    assert facts(entries_of(store, cursor=begun.cursor)) == facts([ended])


@pytest.mark.parametrize("ends", [False, True])
def test_of_a_line_without_end_the_last_pieces_are_read_and_no_more(store, monkeypatch, ends):
    log = CriWriter(store.job_path("job"), max_line_bytes=4)
    log.write("stdout", NOW, b"first\n")
    for _ in range(2000):
        log.write("stdout", NOW, b"12345678")
    counts = read_counts(store.job_path("job"))
    assert counts.end - counts.scan < 300
    if ends:
        log.write("stdout", NOW, b"\n")
    sizes = []
    read = LogFile.read
    monkeypatch.setattr(LogFile, "read", lambda self, *place: sizes.append(len(data := read(self, *place))) or data)
    found = entries_of(store, tail=3)
    assert [entry.data for entry in found] == [b"12345678"] * 3
    assert sum(sizes) < counts.end // 20
    log.abandon()
