"""The table that a benchmark prints and the JSON that it writes."""

import json
import os
import platform
import sys
import time
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.markup import escape
from rich.table import Table

COLUMNS = ("row", "work", "Fluster", "baseline", "its figure", "ratio (min - max)", "goal", "verdict")


def number(value):
    """Three digits are what a noisy machine can tell."""
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def figure(values, unit):
    return f"{number(median(values))} {unit}".strip() if values else ""


def ratio(result):
    if not result.theirs:
        return ""
    found = result.ratios
    return f"{number(median(found))} x {result.direction} ({number(min(found))} - {number(max(found))})"


def cells(result):
    return (
        result.row, result.what, figure(result.ours, result.unit), result.baseline or "-",
        figure(result.theirs, result.unit), ratio(result), result.goal.text if result.goal else "", result.verdict,
    )  # fmt: skip


def show(results, notes, *, title):
    """On a terminal as wide as it is, elsewhere wide enough that no cell is cut."""
    table = Table(title=title, title_justify="left", show_lines=False)
    for name in COLUMNS:
        table.add_column(name, overflow="fold")
    last = ""
    for result in results:
        if last and result.row != last:
            table.add_section()
        last = result.row
        style = "red" if result.verdict.startswith("missed") else "green" if result.verdict else None
        table.add_row(*map(escape, cells(result)[:-1]), f"[{style}]{result.verdict}[/]" if style else "")
    console = Console() if sys.stdout.isatty() else Console(width=200)
    console.print(table)
    console.print(
        'Figures are medians of the rounds. "cheaper" is baseline / Fluster, "of it" and "as much" Fluster / baseline, of the same round.'
    )
    for note in notes:
        console.print(f"- {note}", soft_wrap=True, highlight=False)


def write(path, results, notes):
    document = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": {
            "cores": os.cpu_count(), "kernel": platform.release(), "python": platform.python_version(), "load": os.getloadavg(),
        },
        "notes": list(notes),
        "results": [result.document() for result in results],
    }  # fmt: skip
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(document, indent=1) + "\n")
