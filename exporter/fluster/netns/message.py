"""Messages of rtnetlink about links: what comes, what goes, and the list of what is there (linux/if_link.h, netlink(7))."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

from fluster.netns.counters import Counters

__all__ = ["LIST_REQUEST", "LinkMessage", "Word", "messages"]

_HEADER: Final = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_LINK: Final = struct.Struct("=BxHiII")  # family, device type, index, flags, change
_ATTRIBUTE: Final = struct.Struct("=HH")  # length, type
_STATS: Final = struct.Struct("=4Q")  # packets received and transmitted, bytes received and transmitted
_ERROR, _DONE, _NEW, _GONE, _LIST = 2, 3, 16, 17, 18
_REQUEST, _INTERRUPTED, _DUMP = 0x1, 0x10, 0x300
_LOOPBACK: Final = 0x8
_NAME, _STATS64 = 3, 23

LIST_REQUEST: Final = _HEADER.pack(_HEADER.size + _LINK.size, _LIST, _REQUEST | _DUMP, 1, 0) + _LINK.pack(0, 0, 0, 0, 0)
"""Asks for a message about each link that is there."""


class Word(Enum):
    """What a message says."""

    THERE = "there"
    """The link exists: it is new, it changed, or it is on the list that was asked for."""
    GONE = "gone"
    """The link was taken away or has moved to another namespace; these are its last counters."""
    LISTED = "listed"
    """The list that was asked for is complete."""
    LIST_FAILED = "list failed"
    """The list that was asked for is not to be had, or links changed while it was told: ask again."""


class LinkMessage(NamedTuple):
    word: Word
    number: int = 0
    name: str = ""
    loopback: bool = False
    counters: Counters | None = None


def messages(data: bytes) -> Iterator[LinkMessage]:
    """Those that are understood, in order. Garbage ends the iteration: nothing after it can be trusted."""
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, flags, _, _ = _HEADER.unpack_from(data, at)
        if length < _HEADER.size or at + length > len(data):
            return
        if kind in {_NEW, _GONE}:
            message = _link(kind, data[at + _HEADER.size : at + length])
            if message is not None:
                yield message
        elif kind == _DONE:
            yield LinkMessage(Word.LIST_FAILED if flags & _INTERRUPTED else Word.LISTED)
        elif kind == _ERROR:
            yield LinkMessage(Word.LIST_FAILED)
        at += _aligned(length)


def _link(kind: int, body: bytes) -> LinkMessage | None:
    if len(body) < _LINK.size:
        return None
    family, _, index, flags, _ = _LINK.unpack_from(body)
    if family:
        return None  # a bridge tells of its ports in the same words
    name, counters = "", None
    at = _LINK.size
    while at + _ATTRIBUTE.size <= len(body):
        length, attribute = _ATTRIBUTE.unpack_from(body, at)
        if length < _ATTRIBUTE.size or at + length > len(body):
            break
        value = body[at + _ATTRIBUTE.size : at + length]
        if attribute == _NAME:
            name = value.partition(b"\0")[0].decode("utf-8", "replace")
        elif attribute == _STATS64 and len(value) >= _STATS.size:
            counters = Counters(*_STATS.unpack_from(value)[2:])
        at += _aligned(length)
    return LinkMessage(Word.THERE if kind == _NEW else Word.GONE, index, name, bool(flags & _LOOPBACK), counters)


def _aligned(length: int) -> int:
    return (length + 3) & ~3
