"""Links lead to dashboards and variables that exist, and to cells that the table has."""

import re

from tests.unit.dashboards.conftest import NAMES, dashboard, panels


def variables(name):
    return {variable["name"] for variable in dashboard(name)["templating"]["list"]}


def data_links(panel):
    """(address, titles of the table's columns)."""
    columns = {}
    for transformation in panel.get("transformations", ()):
        if transformation["id"] == "organize":
            columns = set(transformation["options"]["renameByName"].values())
    for override in panel["fieldConfig"]["overrides"]:
        for each in override["properties"]:
            if each["id"] == "links":
                yield from ((link["url"], columns) for link in each["value"])


def test_every_link_of_a_table_names_its_columns_and_a_dashboard_with_its_variables(board):
    for panel in panels(board):
        for url, columns in data_links(panel):
            cells = re.findall(r'\$\{__data\.fields\["([^"]+)"\]\}', url)
            assert cells, url
            assert set(cells) <= columns, panel["title"]
            if url.startswith("/d/"):
                target = re.match(r"/d/fluster-(\w+)\?", url)[1]
                assert target in NAMES
                assert set(re.findall(r"var-(\w+)=", url)) <= variables(target)
            else:
                assert url.startswith("http://${__data.fields[")


def test_from_every_list_of_jobs_a_click_leads_to_the_job_and_to_its_page():
    for name, title in (("jobs", "Jobs"), ("sizing", "By job"), ("logs", "Jobs whose log is not whole")):
        (panel,) = [panel for panel in panels(dashboard(name)) if panel["title"] == title]
        urls = " ".join(url for url, _ in data_links(panel))
        assert "/d/fluster-job?" in urls
        assert "/job/" in urls


def test_every_dashboard_leads_to_the_others_with_what_is_chosen(board):
    (link,) = [link for link in board["links"] if link["type"] == "dashboards"]
    assert link["tags"] == ["fluster"] == board["tags"]
    assert link["includeVars"]
    assert link["keepTime"]


def test_the_link_of_the_pages_and_alerts_fits_the_job_dashboard():
    assert {"worker", "job_id"} <= variables("job")
    assert "worker" in variables("workers")


def test_every_variable_is_explained_and_its_values_are_asked_for_over_the_whole_time(board):
    for variable in board["templating"]["list"]:
        assert variable["label"]
        assert variable["description"].endswith(".")
        if variable["type"] == "query":
            assert "$__range" in variable["query"]["query"]
            assert variable["datasource"]["uid"] == "fluster-prometheus"
            assert variable["refresh"] == 2
