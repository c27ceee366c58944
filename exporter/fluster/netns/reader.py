"""Live and final figures of one network namespace through two descriptors that were opened in it."""

from __future__ import annotations

import errno
import os
import select
import socket
import threading
import time
from typing import Final

from fluster.netns.account import LinkAccount
from fluster.netns.counters import Counters
from fluster.netns.message import LIST_REQUEST, messages
from fluster.netns.table import counters_by_name

__all__ = ["NetworkReader"]

_PAGE: Final = 4096
"""What the kernel gives of /proc/net/dev at once, in whole lines."""
_LINE: Final = 256
"""More than a line of it."""
_MESSAGES: Final = 65536
"""More than the kernel puts into one datagram."""
_ROUNDS: Final = 8
"""How often a reading begins anew because links came or went meanwhile."""


class NetworkReader:
    """Thread-safe. Owns `table` (/proc/net/dev) and `news` (rtnetlink, links), which keep the namespace alive until close()."""

    def __init__(self, table: int, news: socket.socket) -> None:
        self._table = table
        self._news = news
        self._waiting = select.poll()
        """Asks whether there is news: an empty recv costs thrice as much."""
        self._waiting.register(news, select.POLLIN)
        self._account = LinkAccount()
        self._lock = threading.Lock()
        self._closed = False
        self._text = b""
        """The table at the last reading."""
        self._missing = False
        self._total: Counters | None = None

    def sample(self) -> None:
        """Take the counters as they are now. Never waits: microseconds."""
        with self._lock:
            if self._closed:
                return
            try:
                self._sample()
            except OSError:
                pass  # what was read last stands

    def settle(self, seconds: float = 1.0) -> None:
        """The last reading of a namespace whose processes are gone: waits for the kernel's last word on a link that is just going."""
        deadline = time.monotonic() + seconds
        self.sample()
        while self._missing and not self._closed and (left := deadline - time.monotonic()) > 0:
            poll = select.poll()
            try:
                poll.register(self._news, select.POLLIN)
            except ValueError:
                return  # closed meanwhile
            poll.poll(left * 1000)
            self.sample()

    @property
    def total(self) -> Counters | None:
        """Over all interfaces that the namespace has and had, without loopback, as of the last reading."""
        return self._total

    def close(self) -> None:
        """Idempotent; what was read last stands. The namespace may go."""
        with self._lock:
            if not self._closed:
                self._closed = True
                os.close(self._table)
                self._news.close()

    def _sample(self) -> None:
        # First the table, then the news: a link whose end is told may still be in the table, which then is read again.
        text = self._read_table()
        news = self._account.wants_list or bool(self._waiting.poll(0))
        if text == self._text and not news:
            return  # not a packet since the last reading
        for _ in range(_ROUNDS if news else 0):
            if not self._hear():
                break
            text = self._read_table()
        self._account.see(counters_by_name(text))
        self._text = text
        self._missing, self._total = self._account.missing, self._account.total

    def _read_table(self) -> bytes:
        text = part = os.pread(self._table, _PAGE, 0)
        while len(part) > _PAGE - _LINE:
            part = os.pread(self._table, _PAGE, len(text))
            text += part
        return text

    def _hear(self) -> bool:
        """Take in what the kernel tells; True where it told anything, or has still to tell."""
        if self._account.wants_list:
            self._account.list_asked()
            self._news.send(LIST_REQUEST)
        heard = False
        while True:
            try:
                data, sender = self._news.recvfrom(_MESSAGES)
            except BlockingIOError:
                return heard or self._account.wants_list
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self._account.messages_lost()
                continue
            if sender[0] != 0:
                continue  # not the kernel
            for message in messages(data):
                heard = True
                self._account.hear(message)
