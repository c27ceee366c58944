"""The generator refuses what would only show as an empty or crooked panel in Grafana."""

import pytest

from fluster.catalogue import METRICS
from grafana.generator.graph import graph
from grafana.generator.grid import Line, Row, placed
from grafana.generator.query import logql, over_time, prom
from prometheus.generator.promql import QueryError, promql
from prometheus.generator.recording import SERIES
from tests.unit.dashboards.conftest import NAMES, dashboard, panels


def panel(title="x"):
    return graph(title, "X.", "short", over_time("fluster_slots{@worker}", "slots"))


def test_a_query_that_asks_all_workers_is_refused():
    with pytest.raises(QueryError, match="fluster_slots is asked of all workers; put @worker or @job into its braces"):
        prom("fluster_slots / fluster_slots_used{@worker}")
    with pytest.raises(QueryError, match="asks all workers"):
        logql('sum(count_over_time({source="stdout"} |= "{x}" [1m])) + sum(count_over_time({@worker} [1m]))')


def test_a_metric_that_is_not_in_the_catalogue_is_refused():
    with pytest.raises(QueryError, match="fluster_slots_taken is neither in the catalogue nor recorded"):
        over_time("fluster_slots_taken{@worker}", "slots")


def test_short_forms_are_written_out():
    assert prom("fluster_job_processes{@job}") == 'fluster_job_processes{worker=~"$worker", job_id="$job_id"}'
    assert prom("fluster_job_processes{@jobs}") == 'fluster_job_processes{worker=~"$worker", job_id=~"$job_id"}'


@pytest.mark.parametrize("metric", [each.name for each in METRICS])
def test_what_asks_for_a_metric_is_refused_once_it_has_another_name(metric):
    """Each query that is in a dashboard, without the metric that it asks for."""
    without = {name: labels for name, labels in SERIES.items() if not name.startswith(metric)}
    users = [
        target["expr"]
        for name in NAMES
        for each in panels(dashboard(name))
        for target in each["targets"]
        if each["datasource"]["type"] == "prometheus" and f"{metric}{{" in target["expr"]
    ]
    for expression in users:
        with pytest.raises(QueryError, match="is neither in the catalogue nor recorded"):
            promql(expression, without)


def test_panels_that_do_not_fill_a_line_are_refused():
    with pytest.raises(ValueError, match="widths .* do not add up to 24"):
        placed([Row("", [Line(4, [panel(), panel()], widths=(12, 11))])])
    with pytest.raises(ValueError, match="do not add up to 24"):
        placed([Row("", [Line(4, [panel()] * 5)])])


def test_panels_are_placed_line_by_line_below_their_row():
    found = placed(
        [Row("", [Line(4, [panel("a"), panel("b")])]), Row("r", [Line(5, [panel("c")])], folded=True), Row("s", [])]
    )
    places = {each.title: (each.grid_pos.x, each.grid_pos.y, each.grid_pos.w, each.grid_pos.h) for each in found}
    assert places == {"a": (0, 0, 12, 4), "b": (12, 0, 12, 4), "r": (0, 4, 24, 1), "s": (0, 5, 24, 1)}
    assert [each.title for each in found[2].panels] == ["c"]
    assert [each.id_val for each in found] == [1, 2, 3, 5]
