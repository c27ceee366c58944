"""The command line of a benchmark: which rows of a section, how many rounds, where the JSON goes."""

import argparse
import signal
import sys
import time
from importlib import import_module

from tests.benchmarks import report
from tests.benchmarks.bench import Bench
from tests.benchmarks.result import Missing, Note


def main(section, arguments):
    """`section` is a package beside this file: its TITLE, and ROWS with their modules, each with a measure(bench) that yields
    Results and Notes. Returns the exit status: misses are told, not failed."""
    package = import_module(f"tests.benchmarks.{section}")
    rows = package.ROWS
    parser = argparse.ArgumentParser(prog=f"python -m tests.benchmarks {section}", description=package.TITLE)
    parser.add_argument(
        "rows", nargs="*", metavar="ROW", help=f"rows to measure, of {' '.join(rows)}; all where none is named"
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds in which all sides take their turns (5)")
    parser.add_argument(
        "--quick", action="store_true", help="one small round: shows that the benchmark works, measures nothing"
    )
    parser.add_argument("--json", default=f"build/bench-{section}.json", help="where the figures go")
    options = parser.parse_args(arguments)
    chosen = [each.upper() for each in options.rows] or list(rows)
    unknown = [each for each in chosen if each not in rows]
    if unknown:
        parser.error(f"there is no row {' '.join(unknown)}; there are {' '.join(rows)}")
    # However it is ended, what it started is put away: also as a shell's background job, which ignores SIGINT.
    before = {number: signal.signal(number, _leave) for number in (signal.SIGINT, signal.SIGTERM)}
    results, notes = [], []
    broken = False
    with Bench(rounds=1 if options.quick else options.rounds, quick=options.quick) as bench:
        for row in chosen:
            began = time.monotonic()
            try:
                # Imported when it is measured: a row must not need what another one needs.
                for found in import_module(f"{package.__name__}.{rows[row]}").measure(bench):
                    (notes if isinstance(found, Note) else results).append(found)
            except Missing as missing:
                notes.append(Note(f"{row} left out: {missing}"))
            except Exception as error:  # the other rows are worth having
                import traceback

                traceback.print_exc()
                notes.append(Note(f"{row} failed: {error!r}"))
                broken = True
            print(f"{row}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
            report.write(options.json, results, _texts(notes))
    for number, handler in before.items():
        signal.signal(number, handler)
    report.show(results, _texts(notes), title=package.TITLE)
    print(f"written: {options.json}")
    return int(broken)


def _leave(number, _frame):
    sys.exit(128 + number)


def _texts(notes):
    return list(dict.fromkeys(note.text for note in notes))
