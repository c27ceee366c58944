"""The benchmark of the pages still runs: its quick rows, one small round. What it measures is nobody's assertion."""

import json

import pytest

from tests.absent import needed
from tests.benchmarks.command import main

pytestmark = pytest.mark.browser


def test_rows_give_a_table_and_a_document(tmp_path, capsys):
    needed("chromium")
    assert main("pages", ["P1", "P2", "P4", "--quick", "--json", str(tmp_path / "bench.json")]) == 0
    document = json.loads((tmp_path / "bench.json").read_text())
    assert {each["row"] for each in document["results"]} == {"P1", "P2", "P4"}
    for each in document["results"]:
        assert 0 <= each["fluster"]["min"] <= each["fluster"]["median"] <= each["fluster"]["max"]
    weights = [each["fluster"]["median"] for each in document["results"] if each["row"] == "P1"]
    assert min(weights) > 0
    assert "left out" not in capsys.readouterr().out
