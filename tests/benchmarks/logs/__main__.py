"""Section L of the project's performance goals: `make bench-logs`, or python -m tests.benchmarks.logs L3 L5."""

import sys
from importlib import import_module

from tests.benchmarks.command import main

ROWS = {
    "L3": "last_lines",
    "L4": "pages",
    "L5": "search",
    "L6": "followers",
}


def _row(module):
    # Imported when it is measured: a row must not need what another one needs.
    return lambda bench: import_module(f"tests.benchmarks.logs.{module}").measure(bench)


def run(arguments=None):
    return main(
        {row: _row(module) for row, module in ROWS.items()},
        title="Logs: Fluster beside others, in one run", name="logs", arguments=arguments,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(run())
