"""The log's writer: whoever reads, or does not, who logs goes on."""

import errno
import fcntl
import os
import threading
import time

import pytest

from fluster.worker_log.writer import Writer


def note(count):
    return b"%d dropped\n" % count


@pytest.fixture
def pipe():
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    yield read, write
    for each in (read, write):
        try:
            os.close(each)
        except OSError:
            pass


@pytest.fixture
def writing():
    made = []

    def make(descriptor, **more):
        made.append(Writer(descriptor, note, **more))
        return made[-1]

    yield make
    for each in made:
        each.close(0)


def everything(read, write, writer):
    """What comes out of the pipe until all is written."""
    found = []
    reader = threading.Thread(target=lambda: found.extend(iter(lambda: os.read(read, 65536), b"")))
    reader.start()
    assert writer.flush(20)
    assert writer.flush(20)  # what came while the first one ended
    os.close(write)
    reader.join()
    return b"".join(found)


def test_lines_come_out_whole_and_in_order(pipe, writing):
    writer = writing(pipe[1])
    lines = [b"%d %s\n" % (number, b"x" * 100) for number in range(2000)]
    for line in lines:
        writer.put(line)
    assert everything(*pipe, writer) == b"".join(lines)


def test_a_pipe_that_nobody_reads_stops_nobody_and_the_newest_lines_are_counted(pipe, writing):
    writer = writing(pipe[1], limit_bytes=20_000)
    began = time.monotonic()
    for number in range(10_000):
        writer.put(b"%05d\n" % number)
    assert not writer.flush(0)
    assert time.monotonic() - began < 5
    *kept, last = everything(*pipe, writer).splitlines()
    assert kept == [b"%05d" % number for number in range(len(kept))]
    assert last == b"%d dropped" % (10_000 - len(kept))
    assert 20_000 / 6 - 1 <= len(kept) <= (20_000 + 4096) / 6 + 1


def test_lines_and_notes_do_not_take_turns_where_it_is_nearly_full(pipe, writing):
    read, write = pipe
    writer = writing(write, limit_bytes=8192)
    text = b""
    for number in range(200):  # the reader takes less than is written
        for _ in range(10):
            writer.put(b"%095d\n" % number)
        if number > 50:
            text += os.read(read, 100)
    lines = (text + everything(read, write, writer)).splitlines()
    told = [int(line.split()[0]) for line in lines if line.endswith(b"dropped")]
    assert 1 <= len(told) < 12
    assert len(lines) - len(told) + sum(told) == 2000


@pytest.mark.parametrize("code", [errno.EPIPE, errno.ENOSPC, errno.EIO])
def test_after_an_error_it_goes_on_where_it_stopped(pipe, writing, monkeypatch, code):
    answers = [OSError(code, "no"), 3, OSError(code, "no")]
    real = os.write

    def write(descriptor, data):
        if descriptor != pipe[1] or not answers:
            return real(descriptor, data)
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return real(descriptor, data[:answer])

    monkeypatch.setattr(os, "write", write)
    writer = writing(pipe[1])
    writer.put(b"one line\n")
    writer.put(b"another\n")
    assert everything(*pipe, writer) == b"one line\nanother\n"


def test_a_pipe_that_does_not_block_is_waited_for(pipe, writing):
    os.set_blocking(pipe[1], False)
    writer = writing(pipe[1])
    lines = [b"%04d\n" % number for number in range(4000)]
    for line in lines:
        writer.put(line)
    assert everything(*pipe, writer) == b"".join(lines)


def test_a_flush_ends_at_its_deadline_and_a_close_leaves_a_stuck_thread_behind(pipe, writing):
    writer = writing(pipe[1])
    writer.put(b"x" * 10_000 + b"\n")
    began = time.monotonic()
    assert not writer.flush(0.05)
    writer.close(0.05)
    assert time.monotonic() - began < 5


def test_a_line_may_come_in_the_middle_of_another(writing, pipe):
    """From a destructor, for one: while the note is made."""
    writer = Writer(pipe[1], lambda count: (writer.put(b"within\n"), note(count))[1], limit_bytes=6000)
    writer.put(b"x" * 5999 + b"\n")
    writer.put(b"dropped\n")
    assert everything(*pipe, writer).splitlines()[1:] == [b"1 dropped", b"within"]
    writer.close(0)
