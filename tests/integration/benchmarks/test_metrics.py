"""The benchmark of the metrics still runs: its cheap rows, one small round. What it measures is nobody's assertion."""

import json

from tests.benchmarks.command import main


def test_the_cheap_rows_give_a_table_and_a_document(tmp_path, capsys):
    assert main("metrics", ["M3", "m4", "--quick", "--json", str(tmp_path / "bench.json")]) == 0
    document = json.loads((tmp_path / "bench.json").read_text())
    assert {each["row"] for each in document["results"]} == {"M3", "M4"}
    for each in document["results"]:
        assert each["fluster"]["min"] <= each["fluster"]["median"] <= each["fluster"]["max"]
        assert each["goal"] is None or each["verdict"] == "reached" or each["verdict"].startswith("missed by")
    assert "prometheus-client" in capsys.readouterr().out


def test_a_row_without_a_baseline_says_how_to_get_it_and_the_others_go_on(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda *_args, **_options: None)
    assert main("metrics", ["M5", "M4", "--quick", "--json", str(tmp_path / "bench.json")]) == 0
    output = " ".join(capsys.readouterr().out.split())
    assert (
        "M5 left out: prometheus is not on this machine; apt-get install --no-install-recommends prometheus" in output
    )
    assert {each["row"] for each in json.loads((tmp_path / "bench.json").read_text())["results"]} == {"M4"}
