"""Every alert says what somebody needs who is woken by it, and every promise about alerts is held by a promtool test."""

import re

import pytest

from prometheus.generator.recording import SERIES
from tests.unit.prometheus.shipped import ALERTS, CASES, PROMETHEUS, RECORDED, ROOT, RULES, RUNBOOKS

NAME = re.compile(r"\b(?:fluster_[a-z_]+|[a-z_]+:fluster_\w+:\w+)\b")
OF_JOBS = [name for name, rule in ALERTS.items() if "job_page" in rule["annotations"]]


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_it_is_how_bad_and_where_to_read_on(name):
    rule = ALERTS[name]
    assert re.fullmatch(r"Fluster[A-Z]\w+", name)
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["annotations"]["runbook_url"] == f"{{{{ $externalLabels.runbooks_url }}}}/{name}.md"
    for annotation in ("summary", "description"):
        assert rule["annotations"][annotation].endswith(".")
    assert "{{ $labels.worker }}" in rule["annotations"]["summary"]
    board, page = ("fluster-job", "job_page") if name in OF_JOBS else ("fluster-workers", "worker_page")
    assert f"/d/{board}?var-worker=" in rule["annotations"]["dashboard"]
    assert rule["annotations"][page].startswith("http://{{ $labels.instance }}/")


@pytest.mark.parametrize("name", OF_JOBS)
def test_an_alert_about_a_job_names_it_and_never_mixes_up_two_workers(name):
    rule = ALERTS[name]
    assert "{{ $labels.name }}" in rule["annotations"]["summary"]
    joins = re.findall(r"\b(?:on|by) \(([^)]*)\)", rule["expr"])
    assert joins
    assert set(joins) == {"worker, instance, job_id"}
    assert "group_left (name)" in rule["expr"]


@pytest.mark.parametrize("name", ALERTS)
def test_a_runbook_has_its_four_parts_in_their_order(name):
    assert RUNBOOKS[name].startswith(f"# {name}\n")
    assert re.findall(r"^## (.*)$", RUNBOOKS[name], re.MULTILINE) == ["Meaning", "Impact", "Diagnosis", "Fix"]
    assert all(part.strip() for part in re.split(r"^#+ .*$", RUNBOOKS[name], flags=re.MULTILINE)[2:])
    assert len(RUNBOOKS[name].splitlines()) <= 45, "nobody reads more at three in the morning"


def test_every_runbook_belongs_to_an_alert_and_stands_in_the_index():
    assert set(RUNBOOKS) == set(ALERTS)
    index = re.findall(r"\| \[(\w+)\]\((\w+)\.md\) \| (\w+) \|", (PROMETHEUS / "runbooks/README.md").read_text())
    assert index == [(name, name, rule["labels"]["severity"]) for name, rule in ALERTS.items()]


@pytest.mark.parametrize("name", ALERTS)
def test_promtool_sees_each_alert_fire_and_stay_silent_just_before_after_and_elsewhere(name):
    cases = [[check for check in case["alert_rule_test"] if check["alertname"] == name] for case in CASES]
    firing = [checks for checks in cases if any(check["exp_alerts"] for check in checks)]
    silent = [checks for checks in cases if checks and not any(check["exp_alerts"] for check in checks)]
    assert any(len({check["eval_time"] for check in checks}) >= 2 for checks in silent)
    assert any(
        not checks[0]["exp_alerts"] and any(check["exp_alerts"] for check in checks) and not checks[-1]["exp_alerts"]
        for checks in firing
    )
    for check in (check for checks in firing for check in checks):
        for alert in check["exp_alerts"]:
            assert set(alert["exp_annotations"]) == set(ALERTS[name]["annotations"])
            assert alert["exp_labels"]["severity"] == ALERTS[name]["labels"]["severity"]
            assert {"worker", "instance"} <= set(alert["exp_labels"])
            assert name not in OF_JOBS or {"job_id", "name"} <= set(alert["exp_labels"])


def test_rules_tests_and_runbooks_name_only_what_is_exported_or_recorded():
    for folder in ("rules", "tests", "runbooks"):
        for file in (PROMETHEUS / folder).iterdir():
            names = set(NAME.findall(file.read_text()))
            assert names <= set(SERIES), f"{file.name}: {names - set(SERIES)}"


def test_recording_rules_are_named_by_level_metric_and_operation():
    for name in RECORDED:
        assert re.fullmatch(r"[a-z_]+:fluster_[a-z_]+:[a-z]+[a-z0-9_]*", name), name


def test_every_recording_rule_is_asked_for_by_an_alert_a_dashboard_or_another_one():
    boards = "".join(file.read_text() for file in (ROOT / "grafana/dashboards").glob("*.json"))
    asked = {name: boards + "".join(rule["expr"] for rule in RULES if rule.get("record") != name) for name in RECORDED}
    assert [name for name, queries in asked.items() if name not in queries] == []
