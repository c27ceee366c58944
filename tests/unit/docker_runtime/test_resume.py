"""However captures of one log follow each other, by the engine's file or its API, closed or killed: nothing is missing, nothing doubled."""

import os
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fluster.cri import CriWriter, counts_path, parse_line
from fluster.runtime.docker import file_way
from fluster.runtime.docker.file_way import FileWay
from fluster.runtime.docker.frames import FrameParser
from fluster.runtime.docker.resume import ResumePoint
from fluster.runtime.docker.sink import Sink
from fluster.runtime.docker.stream_way import StreamWay
from tests.unit.docker_runtime.engine_log import data_of, entry, frame

NOW = 1_795_453_731_379_364_092
MAX_LINE = 150


class Log:
    """A job's log and the engine that it comes from."""

    def __init__(self, root):
        self.path = root / "job.log"
        self.engine_file = root / "container.log"
        self.engine_file.touch()
        self.entries = []
        self.ended = threading.Event()

    def engine_writes(self, entries):
        self.entries += entries
        with self.engine_file.open("ab") as file:
            file.write(b"".join(entry(*each) for each in entries))

    def pieces(self, since="", **_params):
        """The API's answer, one frame a piece."""
        seconds, _, nanoseconds = since.partition(".")
        parser = FrameParser(chunked=False, max_line=MAX_LINE)
        for stream, now, text, part in self.entries:
            if not since or now >= int(seconds) * 10**9 + int(nanoseconds):
                yield frame(stream, now, data_of(text, part)), parser

    def open(self, by_file):
        log = CriWriter(self.path, max_line_bytes=MAX_LINE)
        sink = Sink(log, stopped=threading.Event(), ended=self.ended)
        if by_file:
            return log, sink, FileWay(self.engine_file, sink, None, threading.Event(), max_line_bytes=MAX_LINE)
        way = StreamWay(None, "5ab0", sink, SimpleNamespace(failure=None), max_line_bytes=MAX_LINE)
        way._pieces = self.pieces
        return log, sink, way

    def capture(self, *, by_file, killed):
        """All that is there; then the worker ends. `killed`: before its last block was committed."""
        log, _, way = self.open(by_file)
        counts = Path(counts_path(self.path))
        before = counts.read_bytes()
        if by_file:
            way._drain(last=False)
            os.close(way._file)
        else:
            way._take(self.pieces(**way._since()))
        log.abandon()
        if killed:
            counts.write_bytes(before)

    def end(self, *, by_file):
        self.ended.set()
        log, sink, way = self.open(by_file)
        way.run()
        log.take_tails()
        sink.commit(way.resume())
        log.abandon()

    def written(self, stream):
        found = b""
        for raw in self.path.read_bytes().split(b"\n")[:-1]:
            line = parse_line(raw)
            if line.stream == stream:
                found += line.data + (b"" if line.partial else b"\n")
        return found

    def told(self, stream):
        found = b"".join(data_of(text, part) for name, _, text, part in self.entries if name == stream)
        return found if found.endswith(b"\n") or not found else found + b"\n"


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch):
    monkeypatch.setattr(file_way, "_ROUND_SECONDS", 0)


streams = st.sampled_from(["stdout", "stderr"])
kinds = st.sampled_from([None] * 4 + [False, True])
bursts = st.lists(st.tuples(streams, st.integers(1, 2), st.integers(0, 400), kinds), max_size=12)
steps = st.lists(st.tuples(bursts, st.booleans(), st.booleans()), max_size=6)


def played(tmp_path_factory, steps):
    """Each step: what the engine writes, whether the file is read, whether the worker is killed."""
    log, now, number = Log(tmp_path_factory.mktemp("log")), NOW, 0
    unfinished = {}
    for burst, by_file, killed in steps:
        entries = []
        for stream, later, size, part in burst:
            now, number = now + later, number + 1
            begun = unfinished.pop(stream, None)  # all parts of a line have its first one's time
            entries.append((stream, begun or now, (b"%d " % number * 200)[:size], bool(part) if begun else part))
            if entries[-1][3] is False:
                unfinished[stream] = begun or now
        log.engine_writes(entries)
        log.capture(by_file=by_file, killed=killed)
    return log


@given(steps, st.booleans())
@example([([("stdout", 1, 10, None)], True, False), ([("stdout", 1, 400, False)], True, False)], True)
@example(
    [([("stdout", 1, 400, False), ("stderr", 0, 9, None)], False, True), ([("stdout", 0, 9, True)], True, True)], False
)
def test_each_byte_of_each_stream_is_written_once(tmp_path_factory, steps, by_file):
    log = played(tmp_path_factory, steps)
    log.end(by_file=by_file)
    for stream in ("stdout", "stderr"):
        assert log.written(stream) == log.told(stream)
    log.end(by_file=by_file)  # once more, as a worker does that finds an ended container
    for stream in ("stdout", "stderr"):
        assert log.written(stream) == log.told(stream)


def test_what_was_taken_is_not_looked_at_again(tmp_path_factory):
    line = [("stdout", 1, 90, None)] * 50
    log = played(tmp_path_factory, [(line, True, False), (line, True, False)])
    writer, _, way = log.open(by_file=True)
    assert way._offset == log.engine_file.stat().st_size
    assert not any(way._skip.values())
    os.close(way._file)
    writer.abandon()


def test_the_file_of_another_engine_is_taken_from_its_beginning(tmp_path_factory):
    line = [("stdout", 1, 90, None)] * 50
    log = played(tmp_path_factory, [(line, True, False)])
    log.engine_file.write_bytes(entry("stdout", NOW, b"new"))
    log.end(by_file=True)
    assert log.written("stdout").endswith(b"\nnew\n")


def test_a_resume_within_a_frame_gives_its_rest():
    point = ResumePoint(NOW, 4)
    assert point.new_part(NOW - 1, b"old\n") == b""
    assert point.new_part(NOW, b"abcdef\n") == b"ef\n"
    assert point.new_part(NOW, b"next\n") == b"next\n"
