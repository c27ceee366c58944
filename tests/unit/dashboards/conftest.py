import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NAMES = ("workers", "jobs", "job", "sizing", "logs")


def dashboard(name):
    """The committed file."""
    return json.loads((ROOT / f"grafana/dashboards/{name}.json").read_text())


def panels(board):
    """All panels that show something, those of folded rows among them."""
    for panel in board["panels"]:
        if panel["type"] == "row":
            yield from panel["panels"]
        else:
            yield panel


def rows(board):
    return [panel for panel in board["panels"] if panel["type"] == "row"]


@pytest.fixture(params=NAMES)
def board(request):
    return dashboard(request.param)
