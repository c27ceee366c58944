"""Writes the dashboards. `python -m grafana.generator [FOLDER]`: below it grafana/dashboards and docs/dashboards."""

from __future__ import annotations

import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.generator.boards import BOARDS
from grafana.generator.picture import picture

__all__ = ["text"]


def text(dashboard: Dashboard) -> str:
    """As Grafana reads it, with its keys in order: a change shows where it is."""
    return JSONEncoder(sort_keys=True, indent=2).encode(dashboard) + "\n"


def main() -> None:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    dashboards_folder, pictures_folder = root / "grafana/dashboards", root / "docs/dashboards"
    for folder in (dashboards_folder, pictures_folder):
        folder.mkdir(parents=True, exist_ok=True)
    for board in BOARDS:
        built = board.build()
        (dashboards_folder / f"{board.name}.json").write_text(text(built))
        (pictures_folder / f"{board.name}.svg").write_text(picture(built))


if __name__ == "__main__":
    main()
