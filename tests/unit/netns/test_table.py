"""/proc/net/dev as numbers."""

from hypothesis import given
from hypothesis import strategies as st

from fluster.netns.counters import Counters
from fluster.netns.table import counters_by_name

TEXT = b"""Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 9000000     100    0    0    0     0          0         0  9000000     100    0    0    0     0       0          0
  eth0:   57956     876    0    0    0     0          0         0  1063080     956    0    0    0     0       0          0
eth1:0:       1       1    0    0    0     0          0         0        2       1    0    0    0     0       0          0
"""


def test_each_interface_has_its_bytes_and_loopback_is_left_out():
    assert counters_by_name(TEXT) == {"eth0": Counters(57956, 1063080), "eth1:0": Counters(1, 2)}


def test_a_full_counter_stands_against_its_name():
    assert counters_by_name(b"  eth0:18446744073709551615" + b" 1" * 15 + b"\n") == {"eth0": Counters(2**64 - 1, 1)}


def test_a_namespace_with_loopback_alone_has_no_interface():
    assert counters_by_name(b"\n".join(TEXT.split(b"\n")[:3])) == {}


@given(st.integers(0, len(TEXT)))
def test_a_cut_text_tells_what_is_whole(end):
    assert counters_by_name(TEXT[:end]).items() <= counters_by_name(TEXT).items()


@given(st.binary(max_size=400))
def test_garbage_raises_nothing(text):
    assert isinstance(counters_by_name(text), dict)
