"""The reader over a table in memory and a socket that tells what the test says."""

import errno
import os
import threading

import pytest

from fluster.netns.counters import Counters
from fluster.netns.reader import NetworkReader

from .test_message import DONE, GONE, NEW, link, packet

KERNEL, SOMEONE = (0, 0), (4711, 0)


class News:
    """Datagrams and errors in order; readable while one is left. A request is answered by the list of `links`."""

    def __init__(self, links):
        self.links = links
        self.told = []
        self.asked = 0
        self._readable, self._writable = os.pipe()

    def tell(self, data, sender=KERNEL):
        self.told.append((data, sender))
        os.write(self._writable, b"x")

    def send(self, _request):
        self.asked += 1
        for each in self.links:
            self.tell(each)
        self.tell(packet(DONE, bytes(4)))

    def recvfrom(self, _size):
        if not self.told:
            raise BlockingIOError
        os.read(self._readable, 1)
        data, sender = self.told.pop(0)
        if isinstance(data, OSError):
            raise data
        return data, sender

    def fileno(self):
        return self._readable

    def close(self):
        os.close(self._readable)
        os.close(self._writable)


def line(name, received, transmitted):
    return f"{name:>6}: {received} 1 0 0 0 0 0 0 {transmitted} 1 0 0 0 0 0 0\n".encode()


class Table:
    def __init__(self, *lines):
        self.file = os.memfd_create("table")
        self.write(*lines)

    def write(self, *lines):
        os.ftruncate(self.file, 0)
        os.pwrite(self.file, b"".join(lines), 0)


@pytest.fixture
def opened():
    readers = []

    def make(table, news):
        reader = NetworkReader(table.file, news)
        readers.append(reader)
        return reader

    yield make
    for reader in readers:
        reader.close()


def test_a_table_of_many_pages_is_read_whole(opened):
    names = [f"eth{number}" for number in range(300)]
    news = News([link(NEW, 2 + at, name, 0, 0) for at, name in enumerate(names)])
    reader = opened(Table(*(line(name, 10, 3) for name in names)), news)
    reader.sample()
    assert reader.total == Counters(3000, 900)


def test_nothing_is_known_while_the_kernel_tells_no_list(opened):
    news = News([])
    news.send = lambda _request: None
    reader = opened(Table(line("eth0", 10, 3)), news)
    reader.sample()
    assert reader.total is None


def test_the_last_reading_waits_for_the_last_word_on_a_link(opened):
    table, news = Table(line("eth0", 10, 3)), News([link(NEW, 2, "eth0", 0, 0)])
    reader = opened(table, news)
    reader.sample()
    table.write()
    word = threading.Timer(0.05, lambda: news.tell(link(GONE, 2, "eth0", 50, 30)))
    word.start()
    reader.settle(30)
    word.join()
    assert reader.total == Counters(50, 30)


def test_the_last_reading_ends_without_a_last_word_and_keeps_what_was_seen(opened):
    table, news = Table(line("eth0", 10, 3)), News([link(NEW, 2, "eth0", 0, 0)])
    reader = opened(table, news)
    reader.sample()
    table.write()
    reader.settle(0.01)
    assert reader.total == Counters(10, 3)


def test_only_the_kernel_is_heard(opened):
    news = News([link(NEW, 2, "eth0", 0, 0)])
    reader = opened(Table(line("eth0", 10, 3)), news)
    reader.sample()
    news.tell(link(GONE, 2, "eth0", 10**9, 10**9), SOMEONE)
    reader.sample()
    assert reader.total == Counters(10, 3)


def test_after_an_overflow_the_list_is_asked_for_again(opened):
    table, news = Table(line("eth0", 10, 3)), News([link(NEW, 2, "eth0", 0, 0)])
    reader = opened(table, news)
    reader.sample()
    assert news.asked == 1
    news.links = []
    table.write()
    news.tell(OSError(errno.ENOBUFS, "no buffer space available"))
    reader.sample()
    assert news.asked == 2
    assert reader.total == Counters(10, 3)
    reader.settle(30)  # nothing is missing: no wait


def test_a_socket_that_fails_leaves_what_was_read(opened):
    news = News([link(NEW, 2, "eth0", 0, 0)])
    reader = opened(Table(line("eth0", 10, 3)), news)
    reader.sample()
    news.tell(OSError(errno.EIO, "broken"))
    reader.sample()
    assert reader.total == Counters(10, 3)


def test_what_was_read_stands_after_close(opened):
    news = News([link(NEW, 2, "eth0", 0, 0)])
    reader = opened(Table(line("eth0", 10, 3)), news)
    reader.sample()
    reader.close()
    reader.close()
    reader.sample()
    reader.settle(30)
    assert reader.total == Counters(10, 3)
