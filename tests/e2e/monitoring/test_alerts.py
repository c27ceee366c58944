"""Alerts about what really happened reach the Alertmanager and those who listen, say all they promise, and resolve."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.e2e.monitoring import configuration
from tests.e2e.monitoring.provoked import NOT_PROVOKED, ORPHANS_REMOVED, PROVOKED, WORKER_DOWN, WORKER_RESTARTED
from tests.e2e.monitoring.scene import WORKER

pytestmark = [pytest.mark.prometheus, pytest.mark.cgroup, pytest.mark.timeout(300)]

ABOUT_THE_WORKER = (WORKER_DOWN, WORKER_RESTARTED, ORPHANS_REMOVED)


def test_every_alert_is_provoked_or_has_a_reason(told):
    names = {rule["name"] for rule in told.shipped.rules() if rule["type"] == "alerting"}
    assert names == {*PROVOKED, *NOT_PROVOKED, *ABOUT_THE_WORKER}


@pytest.mark.parametrize("name", PROVOKED)
def test_an_alert_is_told_for_the_jobs_it_is_meant_for_and_resolves(told, name):
    assert told.missing(name, "firing") == set()
    assert told.missing(name, "resolved") == set()
    assert {each["labels"]["worker"] for each in told.webhook.found(name, "firing")} == {WORKER}


@pytest.mark.parametrize("name", ABOUT_THE_WORKER)
def test_an_alert_about_the_worker_itself_is_told_and_resolves(told, name):
    for status in ("firing", "resolved"):
        assert told.webhook.found(name, status), f"{name} is not {status}"


def test_a_job_well_within_its_limits_is_nobodys_alarm(told):
    calm = [each for each in told.webhook.alerts if each["labels"].get("job_id") == told.scene.ids["calm"]]
    assert calm == []


def test_what_alerts_say_is_rendered_to_the_end(told):
    for alert in told.webhook.alerts:
        assert {"alertname", "severity", "worker"} <= set(alert["labels"])
        assert {"summary", "description", "runbook_url"} <= set(alert["annotations"])
        named = {alert["labels"]["worker"], alert["labels"].get("name", "")}
        assert all(name in alert["annotations"]["summary"] for name in named)
        for text in alert["annotations"].values():
            assert text == " ".join(text.split()), "a label that is not there leaves a gap"
            assert not re.search(r"<no value>|\{\{|\}\}|NaN|%!|error expanding|<error", text), text


def test_the_runbook_of_each_alert_is_there(told):
    for alert in told.webhook.alerts:
        address = urlsplit(alert["annotations"]["runbook_url"])
        assert (configuration.PROMETHEUS / "runbooks" / address.path.rpartition("/")[2]).is_file(), address


def test_the_page_of_each_job_with_an_alert_answered(told):
    assert len(told.pages) >= len(PROVOKED) // 2
    assert set(told.pages.values()) == {200}
    for address in told.pages:
        assert re.fullmatch(rf"http://{re.escape(told.scene.address)}/job/[\w.-]+", address)


def test_the_dashboard_of_each_alert_names_its_worker_and_its_job(told):
    for alert in told.webhook.alerts:
        address = urlsplit(alert["annotations"]["dashboard"])
        assert address.scheme in {"http", "https"}
        assert address.netloc
        assert re.fullmatch(r"/d/fluster-[a-z]+(/[\w-]*)?", address.path)
        chosen = parse_qs(address.query, strict_parsing=True)
        assert chosen["var-worker"] == [WORKER]
        if "job_id" in alert["labels"]:
            assert chosen["var-job_id"] == [alert["labels"]["job_id"]]


def test_a_worker_that_is_down_silences_the_alerts_of_its_jobs(told):
    down = [each for each in told.inhibited if each["labels"]["alertname"] == WORKER_DOWN]
    quiet = [each for each in told.inhibited if each["status"]["state"] == "suppressed"]
    assert [each["status"]["state"] for each in down] == ["active"]
    assert told.scene.ids["failing-again"] in {each["labels"].get("job_id") for each in quiet}
    for each in quiet:
        assert down[0]["fingerprint"] in each["status"]["inhibitedBy"]
