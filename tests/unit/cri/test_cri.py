import os
import resource
import signal
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluster.cri import CriWriter, format_time, parse_line, parse_time, read_counts

NOW = 1_795_453_731_379_364_092
CHUNKS = st.lists(
    st.tuples(st.sampled_from(["stdout", "stderr"]), st.lists(st.sampled_from([b"a", b"\n", b"\0", b"\xff", b"\r", b" ", b"F "]), max_size=30)),
    max_size=20,
)  # fmt: skip


def lines_of(path):
    whole = {"stdout": [], "stderr": []}
    held = {"stdout": b"", "stderr": b""}
    for raw in path.read_bytes().split(b"\n")[:-1]:
        line = parse_line(raw)
        held[line.stream] += line.data
        if not line.partial:
            whole[line.stream].append(held[line.stream])
            held[line.stream] = b""
    assert held == {"stdout": b"", "stderr": b""}
    return whole


def test_a_line_as_containerd_writes_it(tmp_path):
    path = tmp_path / "job.log"
    with CriWriter(path) as writer:
        writer.write("stdout", NOW, b"text\n")
    assert path.read_bytes() == b"2026-11-23T17:08:51.379364092Z stdout F text\n"


@given(st.integers(0, 2**62))
def test_times_come_back_to_the_nanosecond(timestamp_ns):
    text = format_time(timestamp_ns)
    assert len(text) == 30 or timestamp_ns >= 253402300800 * 10**9
    assert parse_time(text.encode()) == timestamp_ns


def test_short_fractions_are_padded_not_misread():
    assert parse_time(b"2026-11-23T17:08:51.5Z") == parse_time(b"2026-11-23T17:08:51.500000000Z")
    assert parse_time(b"2026-11-23T17:08:51Z") % 10**9 == 0


@pytest.mark.parametrize(
    "line",
    [b"", b"x", b"2026-11-23T17:08:51.1Z stdout F", b"2026-11-23T17:08:51.1Z stdin F x", b"2026-11-23T17:08:51.1Z stdout X x",
     b"2026-11-23T17:08:51.1234567890Z stdout F x", b"yesterday stdout F x", b"2026-11-23T17:08:51.1 stdout F x"],
)  # fmt: skip
def test_what_is_no_cri_line_is_refused(line):
    with pytest.raises(ValueError):
        parse_line(line)


@given(CHUNKS, st.integers(1, 9))
def test_any_bytes_in_any_chunks_come_back_unchanged(tmp_path_factory, chunks, max_line):
    path = tmp_path_factory.mktemp("log") / "job.log"
    written = {"stdout": b"", "stderr": b""}
    with CriWriter(path, max_line_bytes=max_line) as writer:
        for stream, parts in chunks:
            writer.write(stream, NOW, b"".join(parts))
            written[stream] += b"".join(parts)
    counts = read_counts(path)
    for stream, data in written.items():
        expected = data.split(b"\n")
        if expected[-1] == b"":
            expected.pop()
        assert lines_of(path)[stream] == expected
        assert getattr(counts, f"{stream}_lines") == len(expected)
        assert getattr(counts, f"{stream}_bytes") == len(data)
    assert counts.size == path.stat().st_size


@given(st.binary(max_size=3000), st.lists(st.integers(1, 700), min_size=1, max_size=10))
def test_no_entry_is_longer_than_the_longest_line(tmp_path_factory, data, sizes):
    path = tmp_path_factory.mktemp("log") / "job.log"
    with CriWriter(path, max_line_bytes=100) as writer:
        at = 0
        while at < len(data):
            size = sizes[at % len(sizes)]
            writer.write("stdout", NOW, data[at : at + size])
            at += size
    assert all(len(parse_line(raw).data) <= 100 for raw in path.read_bytes().split(b"\n")[:-1])


def test_a_line_has_the_time_of_the_chunk_that_completed_it_and_no_two_have_the_same(tmp_path):
    path = tmp_path / "job.log"
    with CriWriter(path) as writer:
        writer.write("stdout", NOW, b"progress 10 %")
        writer.write("stdout", NOW + 5, b" done\nnext")
        writer.write("stderr", NOW + 6, b"x\n")
    lines = [parse_line(raw) for raw in path.read_bytes().split(b"\n")[:-1]]
    assert [(line.timestamp_ns - NOW, line.data) for line in lines] == [
        (5, b"progress 10 % done"),
        (6, b"x"),
        (6, b"next"),
    ]


def test_reopening_goes_on_and_keeps_the_counts(tmp_path):
    path = tmp_path / "job.log"
    for _ in range(3):
        with CriWriter(path) as writer:
            writer.write("stdout", NOW, b"one\ntwo\n")
    assert read_counts(path).stdout_lines == 6
    assert len(lines_of(path)["stdout"]) == 6


@pytest.mark.parametrize("torn", [b"2026-11", b"2026-11-23T17:08:51.379364092Z stdout F half"])
def test_a_torn_last_line_is_cut_off_and_the_rest_counted_again(tmp_path, torn):
    path = tmp_path / "job.log"
    with CriWriter(path) as writer:
        writer.write("stdout", NOW, b"one\ntwo\n")
    with path.open("ab") as file:
        file.write(torn)
    with CriWriter(path) as writer:
        assert writer.counts.stdout_lines == 2
        assert writer.counts.stdout_bytes == 8
        writer.write("stderr", NOW, b"three\n")
    assert lines_of(path) == {"stdout": [b"one", b"two"], "stderr": [b"three"]}


def test_a_full_disk_drops_counts_and_recovers(tmp_path):
    """A file size limit is a disk that is full for this process: write() gets EFBIG, after a short write."""
    path = tmp_path / "job.log"
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with CriWriter(path) as writer:
        writer.write("stdout", NOW, b"kept\n")
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
            writer.write("stdout", NOW, b"lost\n" * 50)
            assert writer.counts.lost == 50
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        writer.write("stdout", NOW, b"kept again\n")
    assert lines_of(path)["stdout"] == [b"kept", b"kept again"]
    assert read_counts(path).lost == 50


def test_counts_that_cannot_be_read_are_none(tmp_path):
    assert read_counts(tmp_path / "job.log") is None
    (tmp_path / ".job.log.counts").write_bytes(b"garbage")
    assert read_counts(tmp_path / "job.log") is None


def test_it_needs_nothing_but_the_standard_library():
    script = "import sys; import fluster.cri; print([n for n in sys.modules if n.split('.')[0] in ('pydantic', 'anyio', 'dataclasses', 'typing_extensions')])"
    done = subprocess.run(
        [sys.executable, "-S", "-c", script],
        env={"PYTHONPATH": os.path.dirname(os.path.dirname(sys.modules["fluster"].__file__))},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
