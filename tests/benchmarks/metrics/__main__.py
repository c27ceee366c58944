"""Section M of the project's performance goals: `make bench-metrics`, or python -m tests.benchmarks.metrics M1 M3."""

import sys
from importlib import import_module

from tests.benchmarks.command import main

ROWS = {
    "M1": "sample",
    "M2": "rest",
    "M3": "rendering",
    "M4": "packing",
    "M5": "scraping",
    "M6": "lines",
    "M7": "spikes",
    "M8": "growth",
}


def _row(module):
    # Imported when it is measured: a row must not need what another one needs.
    return lambda bench: import_module(f"tests.benchmarks.metrics.{module}").measure(bench)


def run(arguments=None):
    return main(
        {row: _row(module) for row, module in ROWS.items()},
        title="Metrics: Fluster beside others, in one run", name="metrics", arguments=arguments,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(run())
