"""Every rule is taken by a real Prometheus, and every recording rule records."""

import pytest

from tests.e2e.monitoring.unanswered import NOT_RECORDED

pytestmark = [pytest.mark.prometheus, pytest.mark.cgroup, pytest.mark.timeout(300)]


def test_every_rule_as_shipped_and_in_a_hurry_is_healthy(told):
    for server in (told.shipped, told.hurried):
        rules = server.rules()
        assert {rule["type"] for rule in rules} == {"recording", "alerting"}
        assert {rule["name"]: rule.get("lastError", "") for rule in rules if rule["health"] != "ok"} == {}


def test_every_recording_rule_has_recorded_a_number_but_for_those_with_a_reason(told):
    names = {rule["name"] for rule in told.shipped.rules() if rule["type"] == "recording"}
    silent = {name for name in names if not _recorded(told, name)}
    assert silent == set(NOT_RECORDED) & names
    assert set(NOT_RECORDED) <= names


def _recorded(told, name):
    answer = told.shipped.answer("query_range", query=name, start=told.begun, end=told.full, step=1)
    return any(value != "NaN" for result in answer["result"] for _, value in result["values"])


def test_what_is_recorded_keeps_the_worker_and_its_address(told):
    for rule in told.shipped.rules():
        if rule["type"] == "recording" and rule["name"] not in NOT_RECORDED:
            answer = told.shipped.answer("query", query=rule["name"], time=told.full)
            for result in answer["result"]:
                assert {"worker", "instance", "job"} <= set(result["metric"]), rule["name"]
