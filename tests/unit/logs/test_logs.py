from contextlib import closing

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fluster.cri import CriWriter
from fluster.errors import InvalidArgumentError
from fluster.logs import LogFilter, LogStore

pytestmark = pytest.mark.anyio
SECOND = 10**9
START = 1_795_453_731 * SECOND


def write(store, *lines, build=(), max_line=1024 * 1024):
    with CriWriter(store.build_path("job")) as log:
        for number, text in enumerate(build):
            log.line(text, timestamp_ns=START + number * SECOND)
    with CriWriter(store.job_path("job"), max_line_bytes=max_line) as log:
        for number, (stream, data) in enumerate(lines, len(build)):
            log.write(stream, START + number * SECOND, data)


async def texts(store, **wanted):
    page = await store.query("job", LogFilter(**wanted))
    return [entry.data.decode() for entry in page.entries]


OUT = [("stdout", b"line %d\n" % number) for number in range(10)]


async def test_the_whole_log_is_build_then_job_in_one_sequence(store):
    write(store, ("stdout", b"a\n"), ("stderr", b"b\n"), build=("one", "two"))
    entries = (await store.query("job", LogFilter())).entries
    assert [(e.sequence, e.source, e.data) for e in entries] == [
        (0, "build", b"one"), (1, "build", b"two"), (2, "stdout", b"a"), (3, "stderr", b"b"),
    ]  # fmt: skip
    assert [e.timestamp_ns for e in entries] == [START + n * SECOND for n in range(4)]


async def test_filters_apply_in_their_order(store):
    write(store, *OUT, ("stderr", b"line e\n"))
    assert await texts(store, sources=frozenset({"stderr"})) == ["line e"]
    assert await texts(store, since_ns=START + 3 * SECOND, until_ns=START + 5 * SECOND) == ["line 3", "line 4"]
    assert await texts(store, regex="[13579]$") == ["line 1", "line 3", "line 5", "line 7", "line 9"]
    assert await texts(store, regex="[13579]$", start_line=1, max_lines=2) == ["line 3", "line 5"]
    assert await texts(store, regex="[13579]$", start_line=-2) == ["line 7", "line 9"]
    assert await texts(store, regex="[13579]$", start_line=-3, max_lines=1) == ["line 5"]


async def test_tail_counts_after_all_other_filters(store):
    write(store, *OUT, ("stderr", b"x\n"), build=("b",))
    assert await texts(store, tail=2) == ["line 9", "x"]
    assert await texts(store, tail=2, sources=frozenset({"stdout"})) == ["line 8", "line 9"]
    assert await texts(store, tail=2, regex="line [123]") == ["line 2", "line 3"]
    assert await texts(store, tail=100, sources=frozenset({"build"})) == ["b"]
    assert len(await texts(store, tail=100)) == 12


async def test_pages_join_by_cursor_while_the_log_grows(store):
    write(store, *OUT, build=("b",))
    first = await store.query("job", LogFilter(max_lines=4))
    write(store, ("stdout", b"later\n"))
    second = await store.query("job", LogFilter(max_lines=100, cursor=first.next_cursor))
    assert [e.data.decode() for e in first.entries + second.entries] == [
        "b",
        *(f"line {n}" for n in range(10)),
        "later",
    ]
    assert [e.sequence for e in first.entries + second.entries] == list(range(12))
    assert second.next_cursor == ""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.binary(max_size=25)), max_size=25),
    st.integers(1, 5),
    st.integers(1, 40),
)
def test_pages_and_tails_agree_with_reading_all(tmp_path_factory, chunks, max_line, count):
    """Lines in parts, streams interleaved within them: every cursor and every tail gives what the whole log gives."""
    store = LogStore(tmp_path_factory.mktemp("logs"))
    store.create("job")
    write(store, *chunks, build=("b",), max_line=max_line)

    async def check():
        whole = (await store.query("job", LogFilter(max_lines=10_000))).entries
        facts = [(e.sequence, e.source, e.data) for e in whole]
        tail = (await store.query("job", LogFilter(tail=count))).entries
        assert [(e.sequence, e.source, e.data) for e in tail] == facts[-count:]
        for at, entry in enumerate(whole):
            page = (await store.query("job", LogFilter(max_lines=3, cursor=entry.cursor))).entries
            assert [(e.sequence, e.source, e.data) for e in page] == facts[at + 1 : at + 4]
        later = (await store.query("job", LogFilter(since_ns=START + 3 * SECOND, max_lines=10_000))).entries
        assert [(e.sequence, e.data) for e in later] == [
            (e.sequence, e.data) for e in whole if e.timestamp_ns >= START + 3 * SECOND
        ]

    anyio.run(check)


async def test_a_tail_and_a_time_far_in_a_large_file(store):
    with CriWriter(store.job_path("job")) as log:
        for number in range(0, 60_000, 100):
            log.write(
                "stdout", START + number * SECOND, b"".join(b"line %d\n" % n for n in range(number, number + 100))
            )
    tail = (await store.query("job", LogFilter(tail=3))).entries
    assert [(e.sequence, e.data) for e in tail] == [(n, b"line %d" % n) for n in range(59_997, 60_000)]
    found = (await store.query("job", LogFilter(since_ns=START + 45_000 * SECOND, max_lines=1))).entries
    assert [(e.sequence, e.data) for e in found] == [(45_000, b"line 45000")]


async def test_an_unfinished_part_is_no_entry_yet(store):
    with CriWriter(store.job_path("job"), max_line_bytes=4) as log:
        log.write("stdout", START, b"123456789")
        assert (await store.query("job", LogFilter())).entries == []
        log.write("stdout", START, b"\n")
        assert await texts(store) == ["123456789"]


@pytest.mark.parametrize(
    ("wanted", "field"),
    [({"regex": "("}, "regex"), ({"cursor": "x"}, "cursor"), ({"cursor": "j5-1-0"}, "cursor"), ({"sources": frozenset({"x"})}, "source")],
)  # fmt: skip
async def test_bad_input_names_the_field(store, wanted, field):
    with pytest.raises(InvalidArgumentError, match=f"{field}: "):
        await store.query("job", LogFilter(**wanted))


async def test_a_regex_that_would_explode_elsewhere_is_linear_here(store):
    write(store, ("stdout", b"a" * 5000 + b"!\n"))
    with anyio.fail_after(20):
        assert await texts(store, regex="(a+)+$") == []


async def test_a_log_that_is_not_there_yet_is_empty(store):
    assert (await store.query("other", LogFilter())).entries == []
    assert (await store.query("other", LogFilter(tail=5))).entries == []


@pytest.mark.parametrize("wanted", [{}, {"tail": 2}, {"tail": 0}, {"sources": frozenset({"stdout"})}])
async def test_a_follower_sees_history_then_live_lines_then_the_end(store, wanted):
    write(store, *OUT, build=("b",))
    over = False
    seen = []

    async def follow():
        async for batch in store.follow("job", LogFilter(**wanted), lambda: over):
            seen.extend(batch.entries)

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(follow)
            history = {"tail": wanted.get("tail")}.get("tail")
            expected = (["b"] if not wanted else []) + [f"line {n}" for n in range(10)]
            expected = expected[-history:] if history else [] if history == 0 else expected
            while len(seen) < len(expected):
                await anyio.sleep(0.001)
            await anyio.sleep(0.01)
            write(store, ("stdout", b"live\n"), ("stderr", b"error\n"))
            over = True
    assert [e.data.decode() for e in seen] == [*expected, "live", *([] if "sources" in wanted else ["error"])]


async def test_a_follower_resumes_at_a_cursor_and_misses_nothing(store):
    write(store, *OUT)
    first = (await store.query("job", LogFilter(max_lines=4))).entries[-1]
    seen = [
        e async for batch in store.follow("job", LogFilter(cursor=first.cursor), lambda: True) for e in batch.entries
    ]
    assert [e.sequence for e in seen] == list(range(4, 10))


async def downloaded(store, *sources, start=0, end=None):
    with closing(await store.download("job", sources)) as download:
        return download.size, b"".join([part async for part in download.blocks(start, end)])


async def test_a_download_is_the_text_as_it_was_written(store):
    write(store, ("stdout", b"a\xff\x00\n"), ("stderr", b"e\n"), ("stdout", b"last"), build=("b",))
    assert await downloaded(store, "stdout") == (8, b"a\xff\x00\nlast")
    assert await downloaded(store, "stderr") == (2, b"e\n")
    assert await downloaded(store) == (None, b"b\na\xff\x00\ne\nlast\n")
    assert await downloaded(store, "stdout", start=3, end=6) == (8, b"\nla")


async def test_counts_are_by_source(store):
    write(store, *OUT, ("stderr", b"x\n"), build=("b",))
    counts = store.counts("job")
    assert counts.lines == {"build": 1, "stdout": 10, "stderr": 1}
    assert counts.bytes == {"build": 2, "stdout": 70, "stderr": 2}
    store.remove("job")
    assert store.counts("job").lines == {}
