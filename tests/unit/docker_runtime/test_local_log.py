"""The engine's file in any form and any blocks gives exactly the entries that a plain encoder put there."""

import random
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fluster.cri import parse_line
from fluster.runtime.docker.entries import Lines
from fluster.runtime.docker.local_log import parse_entries
from tests.unit.docker_runtime.engine_log import data_of, entry

NOW = 1_795_453_731_379_364_092
KIB16 = 16 * 1024


def flat(items):
    """(stream, time, data) of each line and chunk; what Lines says of itself is checked."""
    found = []
    for item in items:
        if not isinstance(item, Lines):
            found.append(tuple(item))
            continue
        lines = [parse_line(line) for line in item.text.split(b"\n")[:-1]]
        assert not any(line.partial for line in lines)
        for stream in ("stdout", "stderr"):
            sizes = [len(line.data) + 1 for line in lines if line.stream == stream]
            assert getattr(item, stream) == (len(sizes), sum(sizes))
        times = [line.timestamp_ns for line in lines]
        assert (item.first_ns, item.last_ns) == (min(times), max(times))
        found += [(line.stream, line.timestamp_ns, line.data + b"\n") for line in lines]
    return found


def parsed(data, *, sizes=(1 << 20,), **options):
    """All of `data`, in blocks as a reader of a growing file meets them."""
    options = {"max_line": 1 << 20, **options}
    found, at, seen, turn, unfinished = [], 0, 0, 0, set()
    while seen < len(data) or not turn:
        seen = min(seen + sizes[turn % len(sizes)], len(data))
        items, used = parse_entries(data[at:seen], unfinished=unfinished, **options)
        for stream, now, text in flat(items):
            (unfinished.discard if text.endswith(b"\n") else unfinished.add)(stream)
            found.append((stream, now, text))
        at, turn = at + used, turn + 1
    return found, at


HOSTILE = [
    b"\n\x06std", b"\n\x06stdout\x10", b"\x06stdout\x10\x1a", b"\0\0\0\x12", b"\x1a", b"\x0a", b"\0", b"\xff", b"\r", b" ", b"abc",
    entry("stdout", NOW, b"x"), entry("stderr", NOW, b""), b"x" * 40, b"y" * 130,
]  # fmt: skip
texts = st.lists(st.sampled_from(HOSTILE) | st.binary(max_size=5), max_size=6).map(b"".join)
times = st.integers(NOW - 3, NOW + 3) | st.sampled_from([NOW + 10**9, NOW - 10**9, 0, 1, 2**56, 2**63 - 1]).filter(
    lambda now: now < 4_000_000_000 * 10**9  # a year of four digits
)
entries = st.lists(
    st.tuples(st.sampled_from(["stdout", "stderr"]), times, texts, st.sampled_from([None] * 5 + [False, True])),
    max_size=25,
)


def expected(written):
    return [(stream, now, data_of(text, part)) for stream, now, text, part in written]


@given(
    entries, st.lists(st.integers(1, 200), min_size=1, max_size=20), st.booleans(), st.sampled_from([1, 129, 1 << 20])
)
@example([("stdout", NOW, b"\x06stdout\x10ab", None)] * 5, [1 << 20], True, 1 << 20)  # ten bytes: its size is a newline
@example(
    [("stdout", NOW, b"\x06stdout\x10" + b"a" * 1276, None)] * 5, [1 << 20], True, 1 << 20
)  # so ends this size, too
def test_any_entries_in_any_blocks_come_back(written, sizes, simple, max_line):
    data = b"".join(entry(*each) for each in written)
    assert parsed(data, sizes=sizes, simple=simple, max_line=max_line) == (expected(written), len(data))


@pytest.mark.parametrize("size", [0, 1, 9, 10, 127, 128, 1290, 16383, KIB16])
def test_whole_lines_of_every_size_are_taken_the_fast_way(size):
    written = [("stderr" if number % 3 else "stdout", NOW + number * 10**8, bytes([65 + number]) * size) for number in range(20)]  # fmt: skip
    data = b"".join(entry(*each) for each in written)
    items, used = parse_entries(data, max_line=1 << 20)
    assert (flat(items), used) == (expected([(*each, None) for each in written]), len(data))
    assert len(items) == (2 if size < KIB16 else 20)  # the last one of a block is not


def test_no_line_over_the_longest_is_taken_as_a_whole():
    data = entry("stdout", NOW, b"x" * 300) * 10
    items, _ = parse_entries(data, max_line=299)
    assert not any(isinstance(item, Lines) for item in items)


def test_no_line_is_taken_as_a_whole_while_a_stream_has_one_unfinished():
    lines = entry("stdout", NOW, b"a") * 3
    end = entry("stderr", NOW, b"end", part=True)
    items, _ = parse_entries(lines + end + lines, max_line=1 << 20, unfinished={"stderr"})
    assert [isinstance(item, Lines) for item in items] == [False] * 4 + [True, False]


@pytest.mark.parametrize("cut", [1, 3, 4, 6, 12, 30, 59, 60, 63])
def test_a_torn_entry_is_left_out_and_what_follows_is_not(cut):
    line = entry("stdout", NOW, b"x" * 40)
    data = line * 3 + line[:cut] + line * 3
    found, used = parsed(data)
    assert found == [("stdout", NOW, b"x" * 40 + b"\n")] * 6
    assert used == len(data)
    items, used = parse_entries(line + line[:cut], max_line=1 << 20)  # the rest of it may be on its way
    assert (len(flat(items)), used) == (1, len(line))
    items, used = parse_entries(line + line[:cut], max_line=1 << 20, last=True)
    assert (len(flat(items)), used) == (1, len(line) + cut)


def test_garbage_of_every_kind_is_survived():
    chance = random.Random(1)
    line = entry("stderr", NOW, b"good")
    for _ in range(300):
        garbage = bytearray(line * 3)
        for _ in range(chance.randrange(1, 6)):
            garbage[chance.randrange(len(garbage))] = chance.choice([0, 1, 10, 26, 127, 128, 255])
        data = bytes(garbage) + line * 2
        items, used = parse_entries(data, max_line=1 << 20, last=True)
        assert used == len(data)
        assert flat(items)[-1] == ("stderr", NOW, b"good\n")


def test_a_job_that_writes_nothing_simple_takes_time_in_proportion():
    def seconds(count):
        data = b"".join(entry("stdout", NOW, b"x", part=True) + entry("stdout", NOW, b"y") for _ in range(count))
        begun = time.thread_time()
        parse_entries(data, max_line=1 << 20)
        return time.thread_time() - begun

    assert seconds(8000) < 30 * seconds(1000)
