"""Messages of rtnetlink, as the kernel lays them out, and anything else that might come."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from fluster.netns.counters import Counters
from fluster.netns.message import LIST_REQUEST, LinkMessage, Word, messages

NEW, GONE, DONE, ERROR = 16, 17, 3, 2


def attribute(kind, value):
    raw = struct.pack("=HH", 4 + len(value), kind) + value
    return raw + bytes(-len(raw) % 4)


def packet(kind, body, *, flags=0):
    raw = struct.pack("=IHHII", 16 + len(body), kind, flags, 0, 0) + body
    return raw + bytes(-len(raw) % 4)


def link(kind, number, name, received, transmitted, *, family=0, flags=0x1002, stats=True):
    body = (
        struct.pack("=BxHiII", family, 1, number, flags, 0)
        + attribute(3, name.encode() + b"\0")
        + attribute(4, b"\0" * 4)
    )
    if stats:
        body += attribute(23, struct.pack("=25Q", 7, 8, received, transmitted, *range(21)))
    return packet(kind, body + attribute(38, b"x"))


def test_what_comes_and_what_goes_has_number_name_and_counters():
    data = link(NEW, 2, "eth0", 10, 20) + link(GONE, 2, "veth21bb395", 57956, 1063080)
    assert list(messages(data)) == [
        LinkMessage(Word.THERE, 2, "eth0", False, Counters(10, 20)),
        LinkMessage(Word.GONE, 2, "veth21bb395", False, Counters(57956, 1063080)),
    ]


def test_loopback_says_that_it_is_loopback():
    (found,) = messages(link(NEW, 1, "lo", 5, 5, flags=0x49))
    assert found.loopback


def test_a_message_without_counters_has_none():
    (found,) = messages(link(GONE, 2, "eth0", 0, 0, stats=False))
    assert found.counters is None


def test_a_bridge_that_tells_of_its_ports_is_not_heard():
    assert list(messages(link(GONE, 2, "eth0", 1, 1, family=7))) == []


def test_the_end_of_the_list_its_interruption_and_its_refusal_are_told_apart():
    assert [each.word for each in messages(packet(DONE, bytes(4)))] == [Word.LISTED]
    assert [each.word for each in messages(packet(DONE, bytes(4), flags=0x10))] == [Word.LIST_FAILED]
    assert [each.word for each in messages(packet(ERROR, bytes(20)))] == [Word.LIST_FAILED]


def test_the_request_is_a_whole_message():
    length, kind, flags, _, _ = struct.unpack_from("=IHHII", LIST_REQUEST)
    assert (length, kind, flags) == (len(LIST_REQUEST), 18, 0x301)


WHOLE = link(NEW, 2, "eth0", 10, 20) + link(GONE, 2, "eth0", 30, 40) + packet(DONE, bytes(4))


@given(st.integers(0, len(WHOLE)))
def test_a_cut_datagram_tells_what_is_whole(end):
    found = list(messages(WHOLE[:end]))
    assert found == list(messages(WHOLE))[: len(found)]


@given(st.binary(max_size=300))
def test_garbage_raises_nothing_and_ends(data):
    assert len(list(messages(data))) <= len(data) // 16 + 1


@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=8))
def test_a_damaged_datagram_raises_nothing_and_ends(at, damage):
    data = WHOLE[:at] + damage + WHOLE[at + len(damage) :]
    assert len(list(messages(data))) <= len(data) // 16 + 1
