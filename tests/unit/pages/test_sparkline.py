import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluster.sizes import format_bytes
from fluster.web.pages.sparkline import HEIGHT, WIDTH, sparkline

GIB = 1024**3
T0 = 1_795_000_000_000


def curve(*values, pause=1000, **more):
    samples = [(T0 + number * pause, value) for number, value in enumerate(values)]
    return sparkline("memory", samples, **{"text": str, **more})


def points(path):
    """The points of each piece of a line."""
    return [
        [tuple(map(float, point)) for point in re.findall(r"([\d.]+) ([\d.]+)", piece)] for piece in path.split("M")[1:]
    ]


def test_the_newest_sample_is_at_the_right_edge_and_a_minute_is_as_wide_as_the_box():
    found = curve(0, 50, 100, pause=30_000)
    assert found.line == "M0 32L60 16 120 0"
    assert found.area == "M0 32L0 32 60 16 120 0 120 32Z"


def test_what_is_older_than_a_minute_is_left_out():
    assert curve(5, 1, 2, pause=40_000).line == "M40 16L120 0"


@pytest.mark.parametrize(
    ("limit", "peak", "limit_y", "peak_y"),
    [(None, None, None, None), (4, None, 0, None), (8, 2, 0, 24), (9, None, None, None), (None, 4, None, 0), (16, 4, 0, 24), (17, 4, None, 0)],
)  # fmt: skip
def test_limit_and_peak_have_their_lines_unless_the_curve_would_be_flat(limit, peak, limit_y, peak_y):
    found = curve(1, 2, limit=limit, peak=peak)
    assert (found.limit_y, found.peak_y) == (limit_y, peak_y)


def test_gaps_break_the_line():
    assert len(points(curve(1, 2, None, 3, 4).line)) == 2
    samples = [(T0 + second * 1000, 1) for second in (0, 1, 2, 3, 10, 11, 12)]
    assert [len(piece) for piece in points(sparkline("x", samples, text=str).line)] == [4, 3]
    assert curve(1, None, 1).line == "M115.5 0H116.5M119.5 0H120"
    assert curve(1, None, 1).area == ""


@pytest.mark.parametrize(
    ("values", "more", "label"),
    [
        ([1.2 * GIB, 1.5 * GIB], {"peak": 2.1 * GIB, "limit": 4 * GIB, "text": format_bytes}, "from 1.2 to 1.5 GiB, peak 2.1 GiB, limit 4.0 GiB"),
        ([700 << 20, 1.5 * GIB, None], {"text": format_bytes}, "from 700 MiB to 1.5 GiB"),
        ([3, 1, 2], {}, "from 1 to 3"), ([2, 2], {"limit": 900}, "always 2, limit 900"), ([None], {}, "nothing known"), ([], {"peak": 3}, "nothing known, peak 3"),
    ],
)  # fmt: skip
def test_the_label_says_what_is_to_be_seen(values, more, label):
    assert curve(*values, **more).label == f"memory over the last 60 s, {label}"


def test_nothing_is_drawn_of_nothing_and_zero_is_at_the_bottom():
    nothing = curve(None, float("nan"), float("inf"))
    assert (nothing.line, nothing.area, nothing.limit_y, nothing.peak_y) == ("", "", None, None)
    assert curve(0, 0).line == "M118 32L120 32"


def test_many_samples_become_fewer_and_keep_their_spike():
    values = [10 + number % 3 for number in range(300)]
    values[137] = 1000
    found = curve(*values, pause=200)
    (piece,) = points(found.line)
    assert len(piece) <= 120
    assert min(y for _, y in piece) == 0


VALUES = st.none() | st.floats(allow_subnormal=False) | st.integers(-5, 2**62)


@given(
    st.lists(st.tuples(st.integers(T0, T0 + 90_000), VALUES), max_size=700), st.none() | st.floats(), st.none() | st.floats(), st.integers(1, 3)
)  # fmt: skip
def test_any_samples_stay_in_the_box(samples, limit, peak, repeat):
    found = sparkline("memory", samples * repeat, text=str, limit=limit, peak=peak)
    every = [point for piece in points(re.sub(r"H[\d.]+", "", found.line)) for point in piece]
    assert [x for x, _ in every] == sorted(x for x, _ in every)
    for x, y in [*every, *(point for piece in points(found.area) for point in piece)]:
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT
    assert len(every) <= 120
    assert len(found.line) <= 120 * 20
    assert not re.search("nan|inf|e", found.line + found.area)
    for y in (found.limit_y, found.peak_y):
        assert y is None or (math.isfinite(y) and 0 <= y <= HEIGHT)
