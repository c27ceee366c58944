"""What is shipped in prometheus/, read by the programs that it is for."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.absent import needed

PROMETHEUS = Path(__file__).parents[3] / "prometheus"
pytestmark = pytest.mark.prometheus


def told(*command):
    """What the program says; the test fails with it where it is not content."""
    needed(command[0])
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_promtool_takes_all_rules():
    for file in (PROMETHEUS / "rules").glob("*.yml"):
        rules = [rule for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]
        assert f"SUCCESS: {len(rules)} rules found" in told("promtool", "check", "rules", file)


@pytest.mark.parametrize("file", sorted((PROMETHEUS / "tests").glob("*.yml")), ids=lambda file: file.stem)
def test_alerts_fire_and_stay_silent_as_promtools_tests_say(file):
    assert "SUCCESS" in told("promtool", "test", "rules", file)


def test_a_rule_with_another_threshold_fails_those_tests(tmp_path):
    """The tests hold the rules: with a limit moved they do not pass."""
    shutil.copytree(PROMETHEUS, tmp_path / "prometheus")
    rules = tmp_path / "prometheus/rules/alerts.yml"
    moved = rules.read_text().replace(
        "job_id:fluster_job_memory_working_set:ratio > 0.9", "job_id:fluster_job_memory_working_set:ratio > 0.99"
    )
    assert moved != rules.read_text()
    rules.write_text(moved)
    done = subprocess.run(
        ["promtool", "test", "rules", tmp_path / "prometheus/tests/job_limits.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "FlusterJobMemoryNearLimit" in done.stdout + done.stderr


def test_amtool_takes_the_configuration():
    assert "SUCCESS" in told("amtool", "check-config", PROMETHEUS / "alertmanager.yml")


@pytest.mark.parametrize(("severity", "receiver"), [("critical", "now"), ("warning", "soon"), ("info", "quiet")])
def test_amtool_shows_who_is_told(severity, receiver):
    config = PROMETHEUS / "alertmanager.yml"
    assert (
        told("amtool", "config", "routes", "test", f"--config.file={config}", f"severity={severity}").split()[0]
        == receiver
    )


def test_every_alert_that_the_configuration_names_exists():
    rules = yaml.safe_load((PROMETHEUS / "rules/alerts.yml").read_text())
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    for rule in yaml.safe_load((PROMETHEUS / "alertmanager.yml").read_text())["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            name, _, value = matcher.replace("=~", "=").partition("=")
            for each in value.strip('"').split("|") if name == "alertname" else ():
                assert "." in each or each in alerts, matcher
