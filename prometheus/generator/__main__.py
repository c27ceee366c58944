"""Writes the rule files. `python -m prometheus.generator [FOLDER]`, by default prometheus/rules."""

from __future__ import annotations

import sys
from pathlib import Path

from prometheus.generator.job_alerts import job_alerts
from prometheus.generator.recording import recording_groups
from prometheus.generator.rule import render
from prometheus.generator.thresholds import THRESHOLDS, Thresholds
from prometheus.generator.worker_alerts import worker_alerts

__all__ = ["rule_files"]

_HEAD = "Generated from prometheus/generator by `make generate`; not edited by hand. docs/monitoring.md says how to add to it."


def rule_files(thresholds: Thresholds) -> dict[str, str]:
    """Contents by file name."""
    return {
        "recording.yml": render(_HEAD, recording_groups(thresholds)),
        "alerts.yml": render(_HEAD, (worker_alerts(thresholds), job_alerts(thresholds))),
    }


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "prometheus/rules")
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in rule_files(THRESHOLDS).items():
        (folder / name).write_text(content)


if __name__ == "__main__":
    main()
