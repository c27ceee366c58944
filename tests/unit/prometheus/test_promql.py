"""A query that names what no worker exports is refused in one sentence, whatever it looks like."""

import re

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluster.catalogue import CATALOGUE, METRICS
from prometheus.generator import promql as queries
from prometheus.generator.promql import CATALOGUE_SERIES, QueryError, selectors
from prometheus.generator.recording import SERIES, promql
from tests.unit.prometheus.shipped import ALERTS, RULES

NAMES = st.from_regex(r"[a-z_][a-z0-9_:]{0,30}", fullmatch=True)
KNOWN = st.sampled_from(sorted(SERIES))
SHAPES = (
    "{}",
    "rate({}[5m])",
    "sum by (worker) ({})",
    "max(last_over_time({}[10m]))",
    "up or {}",
    "{} unless on (worker) up",
    "1 - {}",
)


def asked_of(query, word):
    """A query whose parser does not take the word for a keyword or a function."""
    try:
        return [each.name for each in selectors(query)].count(word) > 0
    except QueryError:
        return False


@given(name=KNOWN, shape=st.sampled_from(SHAPES))
def test_every_series_can_be_asked_for(name, shape):
    assert promql(f" {shape.format(name)}\n ") == shape.format(name)


@given(name=NAMES, shape=st.sampled_from(SHAPES))
def test_an_unknown_metric_is_refused_in_one_sentence(name, shape):
    query = shape.format(name)
    if name in SERIES or not asked_of(query, name):
        return
    with pytest.raises(QueryError, match=f"^{re.escape(name)} is neither in the catalogue nor recorded: ") as refused:
        promql(query)
    assert "\n" not in str(refused.value)


@given(name=KNOWN, label=NAMES.filter(lambda name: ":" not in name), match=st.sampled_from(("=", "!=", "=~", "!~")))
def test_an_unknown_label_is_refused_in_one_sentence(name, label, match):
    query = f'{name}{{{label}{match}"x"}}'
    if label in SERIES[name] or label == "__name__":
        assert promql(query)
        return
    with pytest.raises(QueryError, match=f"^{re.escape(name)} has no label {label}: "):
        promql(query)


@given(name=KNOWN, label=NAMES.filter(lambda name: ":" not in name), word=st.sampled_from(("by", "without")))
def test_grouping_by_a_label_that_nothing_has_is_refused(name, label, word):
    query = f"sum {word} ({label}) ({name})"
    if label in SERIES[name]:
        assert promql(query) == query
    else:
        with pytest.raises(QueryError):
            promql(query)


@given(text=st.text())
def test_whatever_is_no_query_is_refused_as_such(text):
    try:
        promql(text)
    except QueryError as refused:
        assert len(str(refused).split("\n")) <= len(text.split("\n")) + 8


USED = sorted({selector.name for rule in RULES for selector in selectors(rule["expr"]) if ":" not in selector.name})
FAMILIES = {
    name: name if name in CATALOGUE else re.sub("_(bucket|sum|count)$", "", name)
    for name in USED
    if name.startswith("fluster_")
}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_metric_with_another_name_breaks_the_generation_of_what_asked_for_it(name, monkeypatch):
    renamed = [metric for metric in METRICS if metric.name != FAMILIES[name]]
    monkeypatch.setattr(queries, "METRICS", renamed)
    left = queries._catalogue()
    assert name not in left
    for rule in (rule for rule in RULES if name in {selector.name for selector in selectors(rule["expr"])}):
        with pytest.raises(QueryError, match=f"^{name} is neither in the catalogue nor recorded: "):
            queries.promql(
                rule["expr"],
                {**{key: SERIES[key] for key in SERIES if key not in CATALOGUE_SERIES}, "up": SERIES["up"], **left},
            )


def test_figures_that_a_template_asks_for_are_queries_over_the_catalogue():
    asked = [
        query.replace("%q", '"x"')
        for rule in ALERTS.values()
        for text in rule["annotations"].values()
        for query in re.findall(r"printf `([^`]*)`", text)
    ]
    assert len(asked) >= 8
    for query in asked:
        assert promql(query) == query
        assert isinstance(promql_parser.parse(query), promql_parser.Expr)
