"""Every query of every dashboard, sent to Prometheus as Grafana would send it, answers with what its panel shows."""

import re
import subprocess

import pytest
import yaml

from tests.e2e.monitoring.dashboards import DASHBOARDS, labels_in
from tests.e2e.monitoring.grafana import Grafana
from tests.e2e.monitoring.scene import WORKER
from tests.e2e.monitoring.tables import columns, merged, unknown_columns, value
from tests.e2e.monitoring.unanswered import COLUMNS, unanswered
from tests.e2e.monitoring.variables import chosen, options

pytestmark = [pytest.mark.prometheus, pytest.mark.cgroup, pytest.mark.timeout(300)]

PREFERRED = {
    "worker": [WORKER],
    "job_id": [f"{job}.v1" for job in ("calm", "greedy", "idle-gpu", "lost-child")],
    "state": ["running", "failed", "succeeded"],
    "name": ["calm", "built"],
}
"""What somebody who looks at this story would choose: the first that answers will do."""
QUERIES = [query for dashboard in DASHBOARDS for query in dashboard.queries("prometheus")]
ANNOTATIONS = [each for dashboard in DASHBOARDS for each in dashboard.annotations if each.source == "prometheus"]


@pytest.fixture(scope="module")
def grafana(told):
    return Grafana(told.shipped, told.begun, told.full)


@pytest.fixture(scope="module")
def choices(grafana):
    """By dashboard: all ways to set its variables, the one it opens with first."""
    return {dashboard.uid: list(chosen(dashboard, grafana.ask, PREFERRED)) for dashboard in DASHBOARDS}


TABLES = [
    pytest.param(dashboard, panel, id=f"{dashboard.uid}: {panel.title}")
    for dashboard in DASHBOARDS for panel in dashboard.panels if panel.transformations
]  # fmt: skip


@pytest.fixture(scope="module")
def silent(told):
    """The queries that rightly do not answer, with the reason."""
    (info,) = told.shipped.answer("query", query="fluster_worker_info", time=told.full)["result"]
    return unanswered(info["metric"]["cgroup_version"])


def _answer(grafana, choices, query):
    """The first answer with data; the choice that a dashboard opens with is tried in any case."""
    first, *others = choices[query.dashboard]
    series = grafana.series(query, first)
    tried = {grafana.text(query.text, first)}
    for variables in others:
        text = grafana.text(query.text, variables)
        if series or text in tried:
            continue
        tried.add(text)
        series = grafana.series(query, variables)
    return series


def test_there_are_five_dashboards_and_each_asks():
    assert {each.uid for each in DASHBOARDS} == {
        f"fluster-{name}" for name in ("workers", "jobs", "job", "sizing", "logs")
    }
    for dashboard in DASHBOARDS:
        assert dashboard.queries("prometheus") or dashboard.queries("loki")
        assert {query.source for panel in dashboard.panels for query in panel.queries} <= {"prometheus", "loki"}
    ids = [query.id for query in (*QUERIES, *ANNOTATIONS)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.id)
def test_a_panels_query_answers_with_the_labels_of_its_legend(grafana, choices, silent, query):
    series = _answer(grafana, choices, query)
    if query.id in silent:
        assert not series, f"it answers, although {silent[query.id]}"
        return
    assert series, f"nothing for {query.text}"
    for each in series:
        assert labels_in(query.legend) <= set(each.labels), each
    if query.format == "heatmap":
        assert all("le" in each.labels for each in series)
    names = [
        re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda label, found=each: found.labels[label[1]], query.legend)
        for each in series
    ]
    if labels_in(query.legend) and query.format == "time_series":
        assert len(names) == len(set(names)), f"series that a reader cannot tell apart: {series}"


@pytest.mark.parametrize(("dashboard", "panel"), TABLES)
def test_the_columns_that_a_table_speaks_of_are_given_by_its_queries(grafana, choices, dashboard, panel):
    names = set()
    for query in panel.queries:
        answers = [grafana.series(query, variables) for variables in choices[dashboard.uid]]
        names |= {label for series in answers for each in series for label in each.labels}
        names |= {value(panel, query)} if any(answers) else set()
    absent, _why = COLUMNS.get(f"{dashboard.uid}: {panel.title}", (set(), ""))
    assert unknown_columns(panel, names) == absent


@pytest.mark.parametrize(("dashboard", "panel"), TABLES)
def test_a_table_has_one_row_for_each_thing_it_shows(grafana, choices, dashboard, panel):
    numbers = {value(panel, query) for query in panel.queries}
    for variables in choices[dashboard.uid]:
        answers = {query.ref: grafana.series(query, variables) for query in panel.queries}
        labels = [{pair for pair in row.items() if pair[0] not in numbers} for row in merged(panel, answers)]
        assert labels or variables is not choices[dashboard.uid][0]
        for place, row in enumerate(labels):
            torn = [other for other in labels[:place] + labels[place + 1 :] if row <= other]
            assert not torn, f"two rows of one thing: {row} and {torn[0]}"


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)
def test_links_lead_to_dashboards_variables_and_columns_that_exist(dashboard):
    variables = {each.uid: {variable["name"] for variable in each.variables} for each in DASHBOARDS}
    for panel in dashboard.panels:
        given = {
            label
            for each in panel.transformations
            for label in each.get("options", {}).get("renameByName", {}).values()
        }
        shown, _ = columns(
            panel, {old for each in panel.transformations for old in each.get("options", {}).get("renameByName", {})}
        )
        for link in panel.links:
            assert set(re.findall(r"""__data\.fields\["?([^"\]]+)"?\]""", link)) <= shown & given, link
            if found := re.match(r"/d/([\w-]+)", link):
                assert set(re.findall(r"var-(\w+)=", link)) <= variables[found[1]], link


@pytest.mark.parametrize("annotation", ANNOTATIONS, ids=lambda annotation: annotation.id)
def test_an_annotation_answers_with_what_it_says_and_with_times_in_milliseconds(
    told, grafana, choices, silent, annotation
):
    series = _answer(grafana, choices, annotation)
    if annotation.id in silent:
        assert not series, f"it answers, although {silent[annotation.id]}"
        return
    assert series
    shown = {label for text in annotation.texts for label in labels_in(text)}
    for each in series:
        assert shown | set(annotation.tags) <= set(each.labels)
        if annotation.value_is_time:
            assert all(told.begun - 60 <= value / 1000 <= told.full + 60 for value in each.values), each


@pytest.mark.parametrize(
    ("dashboard", "variable"),
    [
        pytest.param(dashboard, variable, id=f"{dashboard.uid}: {variable['name']}")
        for dashboard in DASHBOARDS for variable in dashboard.variables if variable["type"] == "query"
    ],
)  # fmt: skip
def test_a_variable_offers_the_values_of_this_story(told, grafana, choices, dashboard, variable):
    found = options(variable, grafana.ask, choices[dashboard.uid][0])
    expected = {
        "worker": {WORKER},
        "state": {"running", "failed"},
        "job_id": {told.scene.ids["calm"], told.scene.ids["failing"]},
    }
    assert expected.get(variable["name"], set()) <= set(found)
    assert found


def test_promtool_takes_every_query_with_its_variables_set(grafana, choices, tmp_path):
    texts = {
        grafana.text(query.text, variables)
        for query in (*QUERIES, *ANNOTATIONS)
        for variables in choices[query.dashboard][:2]
    }
    rules = [{"record": f"query:{number}", "expr": text} for number, text in enumerate(sorted(texts))]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(texts)} rules found" in done.stdout


def test_nothing_stands_in_the_tables_of_silence_that_is_not_there(silent):
    assert set(silent) <= {query.id for query in (*QUERIES, *ANNOTATIONS)}
    assert set(COLUMNS) <= {table.id for table in TABLES}
