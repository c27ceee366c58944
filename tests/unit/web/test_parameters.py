import time
from urllib.parse import urlencode

import pytest
from starlette.requests import Request

from fluster.cri import format_time
from fluster.errors import InvalidArgumentError
from fluster.job import JobState
from fluster.web.parameters import integer, log_filter, moment, states


def request(*pairs, **values):
    return Request({"type": "http", "headers": [], "query_string": urlencode([*pairs, *values.items()]).encode()})


def test_states_come_with_commas_or_repeated():
    both = frozenset({JobState.FAILED, JobState.WORKER_FAILED})
    assert states(request(state="failed,worker_failed")) == both
    assert states(request(("state", "failed"), ("state", "worker_failed"))) == both
    assert states(request()) == states(request(state="")) == frozenset()


@pytest.mark.parametrize("name", ["FAILED", "unspecified", "lost", "failed;"])
def test_an_unknown_state_is_refused_with_the_known_ones(name):
    with pytest.raises(InvalidArgumentError, match=r"^state: .*pending, building, running"):
        states(request(state=name))


@pytest.mark.parametrize("text", ["0", "1001", "-1", "1.5", "ten", "1e3", "9" * 30, "٣"])
def test_a_number_out_of_range_is_refused(text):
    with pytest.raises(InvalidArgumentError, match=r"^limit: .*from 1 to 1000"):
        integer(request(limit=text), "limit", low=1, high=1000)


def test_a_number_that_is_left_out_has_its_default():
    assert integer(request(), "limit", default=100, low=1, high=1000) == 100
    assert integer(request(limit=""), "limit", default=100, low=1, high=1000) == 100
    assert integer(request(limit="1000"), "limit", low=1, high=1000) == 1000


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1500", 1_500_000_000),
        ("1970-01-01T00:00:02Z", 2_000_000_000),
        ("1970-01-01t00:00:02z", 2_000_000_000),
        ("1970-01-01 00:00:02", 2_000_000_000),
        ("1970-01-02", 86400 * 10**9),
        ("1970-01-01T01:00:02.5+01:00", 2_500_000_000),
        ("1970-01-01T01:00:02.5 01:00", 2_500_000_000),
        ("2026-11-23T17:08:51.379364092Z", 1_795_453_731_379_364_092),
        ("1969-12-31T23:59:59.75Z", -250_000_000),
    ],
)
def test_moments_are_exact(text, nanoseconds):
    assert moment(request(since=text), "since") == nanoseconds


def test_the_time_that_an_entry_shows_finds_that_entry():
    for nanoseconds in (1_795_453_731_379_364_092, 1_795_453_731_000_000_001, 0):
        assert moment(request(since=format_time(nanoseconds)), "since") == nanoseconds


def test_a_duration_is_ago():
    before = time.time_ns()
    assert before - 600 * 10**9 <= moment(request(since="10m"), "since") <= time.time_ns() - 600 * 10**9


@pytest.mark.parametrize(
    "text", ["yesterday", "-5", "2026-13-01T00:00:00Z", "5 parsecs", "9" * 400 + "d", "2026-11-23T17:08", "0001-01-01T00:00:00+05:00"]
)  # fmt: skip
def test_what_is_no_moment_is_refused_with_examples(text):
    with pytest.raises(InvalidArgumentError, match=r"^until: .*10m for ten minutes ago"):
        moment(request(until=text), "until")


def test_a_log_filter_takes_every_parameter():
    wanted = log_filter(
        request(source="stdout,stderr", since="1", until="2", grep="a", tail="3", start="4", limit="5", cursor="j0-0-0", other="x")
    )  # fmt: skip
    assert wanted.sources == {"stdout", "stderr"}
    assert (wanted.since_ns, wanted.until_ns, wanted.regex) == (1_000_000, 2_000_000, "a")
    assert (wanted.tail, wanted.start_line, wanted.max_lines, wanted.cursor) == (3, 4, 5, "j0-0-0")
    assert log_filter(request(source="all")).sources == frozenset()
    assert log_filter(request(cursor="x"), resume="j0-0-0").cursor == "j0-0-0"


@pytest.mark.parametrize(
    ("values", "field"),
    [({"grep": "("}, "grep"), ({"source": "stdin"}, "source"), ({"cursor": "x"}, "cursor"), ({"tail": "-1"}, "tail"), ({"limit": "10001"}, "limit")],
)  # fmt: skip
def test_a_bad_log_filter_is_refused_by_the_name_of_its_parameter(values, field):
    with pytest.raises(InvalidArgumentError, match=f"^{field}: ") as refused:
        log_filter(request(**values))
    assert refused.value.field == field
