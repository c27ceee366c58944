"""The benchmark of the logs still runs: the rows that need no engine, one small round. What it measures is nobody's assertion."""

import json

from tests.benchmarks.command import main


def test_the_rows_without_an_engine_give_a_table_and_a_document(tmp_path, capsys):
    assert main("logs", ["L3", "L4", "l5", "L6", "--quick", "--json", str(tmp_path / "bench.json")]) == 0
    document = json.loads((tmp_path / "bench.json").read_text())
    assert {each["row"] for each in document["results"]} == {"L3", "L4", "L5", "L6"}
    for each in document["results"]:
        assert each["fluster"]["min"] <= each["fluster"]["median"] <= each["fluster"]["max"]
        assert each["goal"] is None or each["verdict"] == "reached" or each["verdict"].startswith("missed by")
    assert "in one run" in capsys.readouterr().out


def test_without_ripgrep_the_search_says_how_to_get_it_and_goes_on(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda *_args, **_options: None)
    assert main("logs", ["L5", "--quick", "--json", str(tmp_path / "bench.json")]) == 0
    output = " ".join(capsys.readouterr().out.split())
    assert "L5: rg is not on this machine; apt-get install --no-install-recommends ripgrep" in output
    baselines = {each["baseline"] for each in json.loads((tmp_path / "bench.json").read_text())["results"]}
    assert "Python, line by line, one file" in baselines
    assert "ripgrep, the same files" not in baselines
