"""A full disk loses nothing while the container runs, and holds up its end only for a while; what is lost then is counted."""

import resource
import signal
import threading
from contextlib import contextmanager

import pytest

from fluster.cri import CriWriter, parse_line, read_counts
from fluster.runtime.docker import sink as sink_module
from fluster.runtime.docker.file_way import FileWay
from fluster.runtime.docker.growth import Growth
from fluster.runtime.docker.sink import Sink, StoppedError
from tests.polling import until
from tests.unit.docker_runtime.engine_log import entry

NOW = 1_795_453_731_379_364_092
LINES = 3000


@contextmanager
def full_disk(size):
    """A file size limit is a disk that is full for this process: write() gets EFBIG, after a short write."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def capture(tmp_path, monkeypatch):
    monkeypatch.setattr(sink_module, "_AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(sink_module, "_PATIENCE_SECONDS", 0.1)
    (tmp_path / "container.log").write_bytes(b"".join(entry("stdout", NOW + n, b"line %d" % n) for n in range(LINES)))
    capture = Capture(tmp_path)
    yield capture
    capture.stopped.set()
    capture.wake.set()
    capture.thread.join()
    capture.growth.close()


class Capture:
    def __init__(self, root):
        self.path = root / "job.log"
        self.engine_file = root / "container.log"
        self.stopped, self.ended, self.wake = threading.Event(), threading.Event(), threading.Event()
        self.growth = Growth()
        self.refused = 0
        self.thread = threading.Thread(target=self._work)

    def _work(self):
        log = CriWriter(self.path)
        commit = log.commit

        def counting(resume):
            written = commit(resume)
            self.refused += not written
            return written

        log.commit = counting
        sink = Sink(log, stopped=self.stopped, ended=self.ended)
        try:
            FileWay(self.engine_file, sink, self.growth, self.wake, max_line_bytes=1 << 20).run()
        except StoppedError:
            pass
        log.abandon()

    def lines(self):
        return [parse_line(raw).data for raw in self.path.read_bytes().split(b"\n")[:-1]]


def test_nothing_is_lost_while_the_container_runs(capture):
    with full_disk(10_000):
        capture.thread.start()
        until(lambda: capture.refused > 20)  # far beyond the patience with one that has ended
        assert capture.path.stat().st_size == 0
    capture.ended.set()
    capture.wake.set()
    capture.thread.join(20)
    assert capture.lines() == [b"line %d" % n for n in range(LINES)]
    assert read_counts(capture.path).lost == 0


def test_after_the_end_it_has_patience_for_a_while_and_then_counts(capture):
    with full_disk(10_000):
        capture.ended.set()
        capture.thread.start()
        capture.thread.join(20)
        assert not capture.thread.is_alive()
    counts = read_counts(capture.path)
    assert (counts.lines, counts.lost) == (0, LINES)
    assert counts.resume.origin == capture.engine_file.stat().st_size


def test_a_capture_that_is_stopped_leaves_what_it_could_not_write_to_the_next_one(capture):
    with full_disk(10_000):
        capture.thread.start()
        until(lambda: capture.refused)
        capture.stopped.set()
        capture.thread.join(20)
    assert read_counts(capture.path).lost == 0
    following = Capture(capture.path.parent)
    following.ended.set()
    following._work()
    following.growth.close()
    assert capture.lines() == [b"line %d" % n for n in range(LINES)]
