"""Writes the dashboards. `python -m grafana.generator [FOLDER]`: below it grafana/dashboards and docs/dashboards."""

from __future__ import annotations

import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana.generator.boards import BOARDS

__all__ = ["dashboards"]


def dashboards() -> dict[str, str]:
    """JSON by name of the dashboard."""
    return {board.name: JSONEncoder(sort_keys=True, indent=2).encode(board.build()) + "\n" for board in BOARDS}


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".") / "grafana/dashboards"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in dashboards().items():
        (folder / f"{name}.json").write_text(content)


if __name__ == "__main__":
    main()
