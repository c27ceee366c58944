"""What the tests of the dashboards make of variables is what Grafana makes of them: a chosen value is found again, and nothing else."""

import promql_parser
import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from tests.e2e.monitoring import interpolation
from tests.e2e.monitoring.interpolation import Variable, builtins, interpolated

VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="\"'"), min_size=1)
"""Grafana leaves double quotes as they are, and doubles the backslash of a single quote: values with those it cannot ask for."""


def asked(text, *variables, **more):
    return interpolated(text, variables, escape=interpolation.prometheus, **more)


def matcher(query):
    """What the one matcher of a selector compares with, once PromQL has read its string."""
    (found,) = promql_parser.parse(query).matchers.matchers
    return found.value


@given(chosen=st.lists(VALUES, min_size=1, max_size=3), other=VALUES)
def test_a_regular_expression_of_several_values_takes_them_and_no_other(chosen, other):
    pattern = matcher(asked('m{name=~"$name"}', Variable("name", chosen, several=True)))
    assert all(re2.fullmatch(pattern, value) for value in chosen)
    assert bool(re2.fullmatch(pattern, other)) == (other in chosen)


@given(chosen=VALUES)
def test_the_value_of_a_variable_with_one_value_is_compared_as_it_is(chosen):
    assert matcher(asked('m{name="$name"}', Variable("name", [chosen]))) == chosen


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$a", "x\\\\.1"),
        ("${a}", "x\\\\.1"),
        ("[[a]]", "x\\\\.1"),
        ("${a:raw}", "x.1"),
        ("${a:queryparam}", "var-a=x.1"),
        ("${a:regex}", "x\\.1"),
        ("$ab ${ab} $$", "$ab ${ab} $$"),
        ("[$__rate_interval] ${__range_s}", "[4s] 60"),
    ],
)
def test_a_reference_is_replaced_by_its_format_and_an_unknown_one_stays(text, expected):
    assert asked(text, Variable("a", ["x.1"], several=True), builtin=builtins(0, 60)) == expected


def test_two_values_are_an_alternation_and_a_text_for_all_goes_in_as_it_is():
    assert asked("$a", Variable("a", ["x", "y"], several=True)) == "(x|y)"
    assert asked("$a", Variable("a", [], several=True, custom_all=".+")) == ".+"
    assert interpolated("$a", [Variable("a", ["x", "y.z"], several=True)], escape=interpolation.loki) == "x|y\\\\.z"


def test_a_rate_is_taken_over_four_scrapes_and_over_more_than_a_step():
    assert builtins(0, 3600, step=15, scrape=15)["__rate_interval"] == "60s"
    assert builtins(0, 3600, step=300, scrape=15)["__rate_interval"] == "315s"
