"""Tables of dashboards, as the tests of their queries see them."""

import pytest

from tests.e2e.monitoring.dashboards import Dashboard
from tests.e2e.monitoring.grafana import Series
from tests.e2e.monitoring.tables import columns, merged, unknown_columns
from tests.e2e.monitoring.variables import chosen, options

PROMETHEUS = {"type": "prometheus", "uid": "fluster-prometheus"}
TITLES = [f'{{job_id="{one}", title="{one} of many"}} 1 1000' for one in ("a.1", "b")]


def target(ref):
    return {"refId": ref, "expr": "up", "format": "table", "instant": True, "datasource": PROMETHEUS}


def panel(*transformations, overrides=()):
    table = {"title": "T", "type": "table", "targets": [target("A"), target("B")], "transformations": transformations}
    row = {"title": "R", "type": "row", "panels": [{**table, "fieldConfig": {"overrides": overrides}}]}
    return Dashboard({"uid": "u", "panels": [row]}).panels[0]


def series(number, **labels):
    return Series({"metric": labels, "value": [0, str(number)]})


def test_rows_of_one_job_are_one_row_and_a_job_without_the_second_figure_keeps_its_first():
    answers = {
        "A": [series(1, job_id="a", state="failed"), series(2, job_id="b", state="running")],
        "B": [series(3, job_id="a")],
    }
    assert merged(panel(), answers) == [
        {"job_id": "a", "state": "failed", "Value #A": 1.0, "Value #B": 3.0},
        {"job_id": "b", "state": "running", "Value #A": 2.0},
    ]


def test_rows_that_differ_in_a_column_of_both_stay_apart():
    answers = {"A": [series(1, job_id="a", mode="user")], "B": [series(3, job_id="a", mode="system")]}
    assert len(merged(panel(), answers)) == 2


def test_a_column_that_no_query_gives_is_named():
    organize = {
        "id": "organize",
        "options": {"renameByName": {"job_id": "Job", "nobody": "Nobody"}, "excludeByName": {"Time": True}},
    }
    override = {"matcher": {"id": "byName", "options": "Jobs"}, "properties": []}
    made = panel({"id": "merge"}, organize, overrides=[override])
    assert columns(made, {"job_id", "Value #A"}) == ({"Job", "Value #A"}, {"nobody"})
    assert unknown_columns(made, {"job_id", "Value #A"}) == {"nobody", "Jobs"}


def test_a_transformation_that_nobody_checks_is_refused():
    with pytest.raises(AssertionError, match="does not know: pivot"):
        columns(panel({"id": "pivot"}), set())


def variable(**more):
    return {
        "name": "job_id",
        "type": "query",
        "query": "query_result(x)",
        "regex": '/job_id="(?<value>[^"]+)".*title="(?<text>.+?)"/',
        **more,
    }


def test_the_options_of_a_variable_are_what_its_regex_names_as_value():
    assert options(variable(), lambda _: TITLES, ()) == ["a.1", "b"]


def test_a_dashboard_opens_with_what_is_set_with_all_or_with_the_first_option():
    def opened(**more):
        dashboard = Dashboard({"uid": "u", "panels": [], "templating": {"list": [variable(**more)]}})
        (one,) = next(chosen(dashboard, lambda _: TITLES, {}))
        return one.values, one.custom_all

    assert opened() == (["a.1"], None)
    assert opened(includeAll=True, current={"value": "$__all"}) == (["a.1", "b"], None)
    assert opened(includeAll=True, allValue=".+", current={"value": ["$__all"]}) == ([], ".+")
    assert opened(current={"value": "b"}) == (["b"], None)
