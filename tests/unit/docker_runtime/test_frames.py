"""The engine's log stream: the same entries however it is cut into chunks, and nothing twice after a resume."""

import time

from hypothesis import given
from hypothesis import strategies as st

from fluster.runtime.docker.frames import FrameParser, ResumePoint

BASE_NS = 1_795_000_000_000_000_000


def stamp(timestamp_ns):
    seconds, nanoseconds = divmod(timestamp_ns, 10**9)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{nanoseconds:09d}Z".encode()


def frame(stream, timestamp_ns, data):
    payload = stamp(timestamp_ns) + b" " + data
    return bytes([1 if stream == "stdout" else 2, 0, 0, 0]) + len(payload).to_bytes(4, "big") + payload


streams = st.sampled_from(["stdout", "stderr"])
entries = st.lists(
    st.tuples(streams, st.integers(BASE_NS, BASE_NS + 3), st.binary(max_size=40).map(lambda data: data + b"\n")),
    max_size=30,
)


@given(entries, st.lists(st.integers(1, 60), min_size=1, max_size=50))
def test_any_cut_gives_the_same_entries(expected, sizes):
    data = b"".join(frame(*entry) for entry in expected)
    parser, found, at, turn = FrameParser(), [], 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        found += parser.feed(data[at : at + size])
        at, turn = at + size, turn + 1
    assert found == expected


def test_times_have_all_nine_digits_and_short_ones_are_padded():
    payload = b"2026-11-23T17:08:51.3Z text"
    raw = b"\1\0\0\0" + len(payload).to_bytes(4, "big") + payload
    [(_, timestamp_ns, data)] = FrameParser().feed(raw)
    assert timestamp_ns % 10**9 == 300_000_000
    assert data == b"text"


def test_data_may_hold_what_looks_like_a_header_or_a_time():
    data = b"\1\0\0\0\0\0\0\5 2026-11-23T17:08:51.3Z \x00\xff\r\n"
    assert list(FrameParser().feed(frame("stderr", BASE_NS, data))) == [("stderr", BASE_NS, data)]


@given(entries, st.integers(0, 30))
def test_after_a_resume_nothing_is_missing_and_nothing_doubled(written, cut):
    """The engine's times do not fall within one stream; several entries may have the same one."""
    ordered = sorted(written, key=lambda entry: entry[1])
    points, taken = {}, []
    for stream, timestamp_ns, data in ordered[:cut]:
        taken.append((stream, data))
        points.setdefault(stream, ResumePoint()).advance(timestamp_ns, len(data))
    skip = {stream: point.copy() for stream, point in points.items()}
    for stream, timestamp_ns, data in ordered:
        fresh = skip[stream].new_part(timestamp_ns, data) if stream in skip else data
        if fresh:
            taken.append((stream, fresh))
    for name in ("stdout", "stderr"):
        assert b"".join(data for stream, data in taken if stream == name) == b"".join(
            data for stream, _, data in ordered if stream == name
        )


def test_a_resume_within_a_frame_gives_its_rest():
    point = ResumePoint(BASE_NS, 4)
    assert point.new_part(BASE_NS - 1, b"old\n") == b""
    assert point.new_part(BASE_NS, b"abcdef\n") == b"ef\n"
    assert point.new_part(BASE_NS, b"next\n") == b"next\n"
