"""The engine's log stream: the same entries however it is cut into pieces, taken line by line or many at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluster.cri import parse_line
from fluster.runtime.docker.entries import Lines
from fluster.runtime.docker.frames import FrameParser
from tests.unit.docker_runtime.engine_log import chunk, frame

NOW = 1_795_453_731_379_364_092


def flat(items):
    """(stream, time, data) of each line and chunk; what Lines says of itself is checked."""
    found = []
    for item in items:
        if not isinstance(item, Lines):
            found.append(tuple(item))
            continue
        lines = [parse_line(line) for line in item.text.split(b"\n")[:-1]]
        ends = []
        for stream in ("stdout", "stderr"):
            of_stream = [(line.timestamp_ns, len(line.data) + 1) for line in lines if line.stream == stream]
            assert getattr(item, stream) == (len(of_stream), sum(size for _, size in of_stream))
            if of_stream:
                last = of_stream[-1][0]
                run = next((n for n, (now, _) in enumerate(reversed(of_stream)) if now != last), len(of_stream))
                ends.append((stream, last, sum(size for _, size in of_stream[len(of_stream) - run :])))
        assert item.ends == tuple(ends)
        times = [line.timestamp_ns for line in lines]
        assert (item.first_ns, item.last_ns) == (min(times), max(times))
        found += [(line.stream, line.timestamp_ns, line.data + b"\n") for line in lines]
    return found


HOSTILE = [
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"0\r\n\r\n",
    b"\1\0\0\0\0\0\0\5 2026-11-23T17:08:51.379364092Z x",
    b"\xff\0",
    b"a",
    b"x" * 2500,
]
texts = st.lists(st.sampled_from(HOSTILE) | st.binary(max_size=5), max_size=4).map(b"".join)
entries = st.lists(
    st.tuples(
        st.sampled_from(["stdout", "stderr"]),
        st.integers(NOW, NOW + 3),
        texts | texts.map(lambda text: text.replace(b"\n", b"") + b"\n"),
    ),
    max_size=25,
)


@given(
    entries,
    st.lists(st.integers(1, 3000), min_size=1, max_size=30),
    st.booleans(),
    st.booleans(),
    st.sampled_from([1, 1 << 20]),
)
def test_any_cut_gives_the_same_entries(expected, sizes, chunked, simple, max_line):
    data = b"".join((chunk if chunked else bytes)(frame(*entry)) for entry in expected) + (
        b"0\r\n\r\n" if chunked else b""
    )
    parser, found, at, turn = FrameParser(chunked=chunked, max_line=max_line), [], 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        found += flat(parser.feed(data[at : at + size], simple=simple))
        at, turn = at + size, turn + 1
    assert found == expected
    assert parser.ended is chunked


@given(entries, st.lists(st.integers(1, 400), min_size=1, max_size=30))
def test_chunks_need_not_be_frames(expected, sizes):
    data, chunks, at, turn = b"".join(frame(*entry) for entry in expected), b"", 0, 0
    while at < len(data):
        chunks += chunk(data[at : at + sizes[turn % len(sizes)]])
        at, turn = at + sizes[turn % len(sizes)], turn + 1
    parser = FrameParser(chunked=True, max_line=1 << 20)
    middle = len(chunks) // 2
    assert flat([*parser.feed(chunks[:middle]), *parser.feed(chunks[middle:])]) == expected


@pytest.mark.parametrize("chunked", [False, True])
def test_whole_lines_are_taken_at_once(chunked):
    data = [frame("stderr" if n % 3 else "stdout", NOW + n, b"line %d\n" % n) for n in range(50)]
    items = FrameParser(chunked=chunked, max_line=100).feed(b"".join(map(chunk, data) if chunked else data))
    assert [type(item) for item in items] == [Lines]
    assert len(flat(items)) == 50


def test_times_have_all_nine_digits_and_short_ones_are_padded():
    payload = b"2026-11-23T17:08:51.3Z text"
    raw = b"\1\0\0\0" + len(payload).to_bytes(4, "big") + payload
    [(_, timestamp_ns, data)] = FrameParser(chunked=False, max_line=100).feed(raw)
    assert timestamp_ns % 10**9 == 300_000_000
    assert data == b"text"


@pytest.mark.parametrize("newline", [b"", b"\n"])
@pytest.mark.parametrize("rest", [b"", b"rest"])
def test_a_long_line_ends_with_its_last_part_whether_the_engine_says_so_or_not(rest, newline):
    """Engine 20.10 with the `local` driver does not."""
    full = b"x" * 16 * 1024
    told = [("stdout", NOW, full), ("stderr", NOW, b"e\n"), ("stdout", NOW, full), ("stdout", NOW, rest + newline)]
    following = [("stdout", NOW + 1, b"next\n")] * 3
    parser = FrameParser(chunked=False, max_line=1 << 20)
    found = flat(
        [item for each in (told, following) for item in parser.feed(b"".join(frame(*entry) for entry in each))]
    )
    assert found == [*told[:3], ("stdout", NOW, rest + b"\n"), *following]


def test_a_last_line_that_the_job_did_not_end_stays_as_it_is():
    data = frame("stdout", NOW, b"a\n") + frame("stdout", NOW + 1, b"no newline")
    assert flat(FrameParser(chunked=False, max_line=1 << 20).feed(data))[-1] == ("stdout", NOW + 1, b"no newline")
