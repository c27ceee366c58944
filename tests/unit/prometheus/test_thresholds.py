"""One place says where too much begins: what is changed there changes the rules, and nothing else does."""

import re
from dataclasses import fields, replace
from datetime import timedelta

import promql_parser
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from prometheus.generator.__main__ import rule_files
from prometheus.generator.thresholds import THRESHOLDS, Duration
from tests.unit.prometheus.shipped import PROMETHEUS

NAMES = [field.name for field in fields(THRESHOLDS)]


@given(seconds=st.integers(min_value=1, max_value=400 * 86400))
def test_a_duration_reads_back_as_prometheus_understands_it(seconds):
    assert promql_parser.parse_duration(str(Duration(seconds))) == timedelta(seconds=seconds)


@given(seconds=st.integers(min_value=0, max_value=400 * 86400))
def test_a_duration_in_words_adds_up(seconds):
    sizes = {"d": 86400, "h": 3600, "min": 60, "s": 1}
    words = Duration(seconds).in_words.split()
    assert sum(int(count) * sizes[unit] for count, unit in zip(words[::2], words[1::2], strict=True)) == seconds


def other(value):
    return (
        Duration(value.seconds + 61)
        if isinstance(value, Duration)
        else value + 1
        if isinstance(value, int)
        else value / 2
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_threshold_that_is_changed_changes_the_rules(name):
    changed = replace(THRESHOLDS, **{name: other(getattr(THRESHOLDS, name))})
    assert rule_files(changed) != rule_files(THRESHOLDS)


def test_faster_rules_are_the_same_rules_with_no_long_time_left():
    for name, content in rule_files(THRESHOLDS.faster(60)).items():
        hurried, shipped = yaml.safe_load(content), yaml.safe_load((PROMETHEUS / "rules" / name).read_text())
        for fast, slow in zip(hurried["groups"], shipped["groups"], strict=True):
            for rule, known in zip(fast["rules"], slow["rules"], strict=True):
                assert rule.get("alert") == known.get("alert")
                assert promql_parser.parse_duration(rule.get("for", "1s")) <= timedelta(seconds=10)
                ranges = [promql_parser.parse_duration(each) for each in re.findall(r"\[(\w+)\]", rule.get("expr", ""))]
                assert all(each <= timedelta(minutes=1) for each in ranges)
                assert not any(long in rule["expr"] for long in ("600", "1800", "14400"))


def test_the_rules_that_are_shipped_are_those_of_the_thresholds():
    assert rule_files(THRESHOLDS) == {file.name: file.read_text() for file in (PROMETHEUS / "rules").glob("*.yml")}
