"""Each committed dashboard: valid by the SDK's own model, whole, and without a panel that leaves its reader alone."""

import json
import re

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.generator.__main__ import text
from grafana.generator.boards import BOARDS
from grafana.generator.picture import picture
from tests.unit.dashboards.conftest import NAMES, ROOT, dashboard, panels, rows

SOURCES = {"prometheus": "fluster-prometheus", "loki": "fluster-loki"}
OF_THE_PLUGIN = re.compile(r"annotations\.list\[\d+\]\.(titleFormat|textFormat|tagKeys|step|useValueForTime)")
"""What the Prometheus datasource reads of an annotation and the SDK's model does not know: it drops them."""


def differences(one, other, path=""):
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            place = f"{path}.{key}".lstrip(".")
            if key in one and key in other:
                yield from differences(one[key], other[key], place)
            else:
                yield place
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, f"{path}[{number}]")
    elif one != other:
        yield path


def through_the_model(board):
    register_default_plugins()
    return json.loads(JSONEncoder().encode(Dashboard.from_json(json.loads(json.dumps(board)))))


def test_the_files_and_pictures_are_what_the_generator_gives():
    assert {board.name for board in BOARDS} == set(NAMES)
    for board in BOARDS:
        assert (ROOT / f"grafana/dashboards/{board.name}.json").read_text() == text(board.build())
        assert (ROOT / f"docs/dashboards/{board.name}.svg").read_text() == picture(board.build())


def test_the_model_gives_back_what_it_was_given(board):
    assert [place for place in differences(board, through_the_model(board)) if not OF_THE_PLUGIN.fullmatch(place)] == []


def test_a_slip_in_an_option_a_field_or_a_query_would_show():
    board = dashboard("job")
    graph = next(panel for panel in panels(board) if panel["type"] == "timeseries")
    graph["options"]["tooltipp"] = {}
    graph["fieldConfig"]["defaults"]["custom"]["fillOpacitiy"] = 1
    graph["targets"][0]["legendFormatt"] = "x"
    found = " ".join(differences(board, through_the_model(board)))
    assert all(slip in found for slip in ("tooltipp", "fillOpacitiy", "legendFormatt"))


def test_uids_and_titles_are_fixed():
    assert [dashboard(name)["uid"] for name in NAMES] == [f"fluster-{name}" for name in NAMES]
    assert len({dashboard(name)["title"] for name in NAMES}) == len(NAMES)


def test_ids_are_unique_and_so_are_the_letters_of_a_panels_queries(board):
    ids = [panel["id"] for panel in [*panels(board), *rows(board)]]
    assert len(ids) == len(set(ids))
    for panel in panels(board):
        letters = [target["refId"] for target in panel["targets"]]
        assert len(letters) == len(set(letters))
        assert all(letters)


def test_the_grid_has_no_overlap_and_no_hole(board):
    taken = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
    bottom = max(y for _, y in taken) + 1
    assert taken == {(x, y) for x in range(24) for y in range(bottom)}


def test_the_panels_of_a_folded_row_fill_their_own_lines(board):
    for row in rows(board):
        widths = {}
        for panel in row["panels"]:
            widths.setdefault((panel["gridPos"]["y"], panel["gridPos"]["h"]), []).append(panel["gridPos"]["w"])
        assert all(sum(line) == 24 for line in widths.values())
        assert row["collapsed"] is bool(row["panels"])


def test_every_panel_has_a_unit_a_description_legends_and_fixed_sources(board):
    for panel in panels(board):
        title = panel["title"]
        assert title, panel["id"]
        assert panel["description"].endswith("."), title
        assert panel["fieldConfig"]["defaults"]["unit"], title
        assert panel["fieldConfig"]["defaults"]["noValue"], title
        assert panel["datasource"]["uid"] == SOURCES[panel["datasource"]["type"]], title
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"], title
            assert target["legendFormat"] or panel["type"] == "logs", title


def test_titles_are_unique_within_a_dashboard(board):
    titles = [panel["title"] for panel in panels(board)]
    assert len(titles) == len(set(titles))


def test_nothing_is_left_to_be_filled_in_by_hand():
    for name in NAMES:
        content = (ROOT / f"grafana/dashboards/{name}.json").read_text()
        assert "${DS_" not in content
        assert "__inputs" not in content


def test_every_query_asks_for_the_chosen_workers(board):
    asked = [target["expr"] for panel in panels(board) for target in panel["targets"]]
    asked += [annotation["expr"] for annotation in board["annotations"]["list"]]
    for expression in asked:
        without_strings = re.sub(r'"(?!\$worker")(?:[^"\\]|\\.)*"|`[^`]*`', '""', expression)
        for braces in re.findall(r"\{[^}]*\}", without_strings):
            assert 'worker=~"$worker"' in braces, expression


def test_a_limit_is_drawn_wherever_there_is_one(board):
    """A panel over time that asks for a limit draws it as a dashed red line."""
    for panel in panels(board):
        legends = {target["legendFormat"] for target in panel["targets"]}
        if panel["type"] == "timeseries" and "limit" in legends:
            (override,) = [each for each in panel["fieldConfig"]["overrides"] if each["matcher"]["options"] == "limit"]
            styles = {each["id"]: each["value"] for each in override["properties"]}
            assert styles["color"]["fixedColor"] == "red"
            assert styles["custom.lineStyle"]["fill"] == "dash"


def test_a_worker_without_gpu_shows_no_empty_panel():
    for name in NAMES:
        board = dashboard(name)
        open_panels = [panel for panel in board["panels"] if panel["type"] != "row"]
        assert not any("gpu" in target["expr"] for panel in open_panels for target in panel["targets"])
    assert any("gpu" in target["expr"] for panel in panels(dashboard("job")) for target in panel["targets"])


def test_who_opens_a_job_sees_the_cause_before_the_detail():
    titles = [panel["title"] for panel in dashboard("job")["panels"]]
    order = [
        "State",
        "Why it ended",
        "Memory",
        "CPU",
        "Memory against its limit",
        "CPU against its limit",
        "Log",
        "In detail",
    ]
    assert [titles.index(title) for title in order] == sorted(titles.index(title) for title in order)
