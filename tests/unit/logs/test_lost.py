"""Lines that a full disk took are told where they are missing, whatever was written around them."""

from unittest import mock

import anyio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fluster.cri import CriWriter
from fluster.cri.files import LogFiles
from fluster.logs import LogFilter, LogStore

NOW = 1_795_453_731 * 10**9
WRITES = st.lists(
    st.tuples(st.sampled_from(["stdout", "stderr"]), st.integers(1, 3), st.booleans(), st.booleans()), max_size=25
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(WRITES, st.sampled_from([100, 10**6]), st.sampled_from([3, 1000]))
def test_the_next_entry_says_how_many(tmp_path_factory, writes, segment_bytes, max_line):
    """Disk and index may be full at different moments."""
    store = LogStore(tmp_path_factory.mktemp("logs"))
    store.create("job")
    append, set_mark = LogFiles._append, LogFiles._set_mark
    expected, missing, sequence = [], 0, 0
    with CriWriter(store.job_path("job"), segment_bytes=segment_bytes, max_line_bytes=max_line) as log:
        for number, (stream, lines, full, index_full) in enumerate(writes):
            with (
                mock.patch.object(LogFiles, "_append", (lambda *_: False) if full else append),
                mock.patch.object(LogFiles, "_set_mark", (lambda *_: False) if index_full else set_mark),
            ):
                log.write(stream, NOW + 1000 * number, b"".join(b"%d-%d\n" % (number, line) for line in range(lines)))
            if full:
                missing += lines
                continue
            for line in range(lines):
                expected.append((stream, b"%d-%d" % (number, line), sequence, missing))
                missing, sequence = 0, sequence + 1

    async def check():
        entries = (await store.query("job", LogFilter())).entries
        assert [entry[1:4] for entry in entries] == [line[:3] for line in expected]
        if not any(index_full for *_, index_full in writes):
            assert [entry.dropped for entry in entries] == [line[3] for line in expected]
        found = (await store.query("job", LogFilter(regex="-0"))).entries
        assert [entry.data for entry in found] == [line[1] for line in expected if line[1].endswith(b"-0")]
        told = sum(entry.dropped for entry in entries)
        assert told <= sum(line[3] for line in expected)
        for entry in entries:
            rest = (await store.query("job", LogFilter(cursor=entry.cursor))).entries
            assert [each.data for each in rest] == [line[1] for line in expected if line[2] > entry.sequence]

    anyio.run(check)


def test_a_line_whose_end_is_lost_is_told_and_the_next_one_is_whole(tmp_path):
    store = LogStore(tmp_path)
    store.create("job")
    with CriWriter(store.job_path("job"), max_line_bytes=4) as log:
        log.write("stdout", NOW, b"123456789")
        with mock.patch.object(LogFiles, "_append", return_value=False):
            log.write("stdout", NOW, b" lost\n")
        log.write("stdout", NOW, b"next\n")
        counts = log.counts
    entries = anyio.run(store.query, "job", LogFilter()).entries
    assert [(entry.data, entry.truncated, entry.dropped) for entry in entries] == [
        (b"12345678", True, 0),
        (b"next", False, 1),
    ]
    assert (counts.stdout_lines, counts.stdout_lost) == (1, 1)
