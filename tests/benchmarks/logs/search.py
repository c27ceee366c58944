"""L5: a page of what is found in a log of 1 GiB, all of which is searched; the memory that takes, and the event loop meanwhile."""

import re
import subprocess
import sys
import time

import anyio

from fluster.logs import LogFilter, LogStore
from tests.benchmarks.logs.history import histories
from tests.benchmarks.logs.questions import asking, milliseconds
from tests.benchmarks.program import find
from tests.benchmarks.result import Goal, Missing, Note, Result

BOUNDS = {
    "17 zebras": 5, "no such line": 5, "[0-9]+ zebras": 8, "error|fatal|panic": 8, "[0-9]{7}[a-f]{3}z": 8, "^worker.*lost$": 8,
    "(?i)ZEBRAS": 8,
}  # fmt: skip
"""Expression -> how many times ripgrep's time it may take."""
NOWHERE = {"no such line", "[0-9]{7}[a-f]{3}z"}
IN_FILES = {"17 zebras", "no such line", "[0-9]{7}[a-f]{3}z"}
"""Those that are also looked for in closed and compressed files."""
IN_PYTHON = {"17 zebras", "[0-9]+ zebras"}
_TICK_SECONDS = 0.005


def measure(bench):
    logs = histories(bench)
    try:
        ripgrep = find("rg")
    except Missing as missing:
        ripgrep = None
        yield Note(f"L5: {missing}")
    for regex, bound in BOUNDS.items():
        yield from _search(bench, logs, ripgrep, regex, bound)
    yield from _memory(bench, logs)
    yield from _lag(bench, logs)
    yield Note(
        "L5: ripgrep searches the lines of the files as they are: for an expression that begins with ^ it got the end of a line's head instead. "
        "It reads several files at once, and compressed ones through gzip (-z)."
    )


def _search(bench, logs, ripgrep, regex, bound):
    plain = logs["one file"]
    asked = logs if regex in IN_FILES else {"one file": plain}
    sides = asking(asked, 0 if regex in NOWHERE else plain.rare, regex=regex)
    if ripgrep:
        sides |= {f"ripgrep, {shape}": _command(ripgrep, regex, log.files) for shape, log in asked.items()}
    if regex in IN_PYTHON:
        sides["Python"] = lambda: milliseconds(lambda: _in_python(plain.path, regex))
    found = bench.interleave(sides)
    for shape in asked:
        what = f"search {regex}, {shape}"
        if ripgrep:
            goal = Goal("share", bound) if shape != "compressed" else None
            yield Result("L5", what, "ms", found[shape], "ripgrep, the same files", found[f"ripgrep, {shape}"], goal)
        if regex in IN_PYTHON:
            yield Result("L5", what, "ms", found[shape], "Python, line by line, one file", found["Python"])


def _command(ripgrep, regex, files):
    in_file = f" F {regex[1:]}" if regex.startswith("^") else regex
    command = [ripgrep, "--no-config", "--search-zip", "-e", in_file, *files]
    return lambda: milliseconds(lambda: subprocess.run(command, stdout=subprocess.PIPE, check=False))


def _in_python(path, regex):
    pattern = re.compile(regex)
    with open(path, encoding="utf-8") as file:
        return sum(1 for line in file if pattern.search(line))


def _memory(bench, logs):
    def growth(log):
        command = [sys.executable, "-m", "tests.benchmarks.logs.searcher", str(log.root), log.job_id, "[0-9]+ zebras"]
        return float(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)

    found = bench.interleave({shape: lambda log=log: growth(log) for shape, log in logs.items()})
    for shape in logs:
        yield Result("L5", f"memory of a search, {shape}", "MiB", found[shape], goal=Goal("most", 32))


def _lag(bench, logs):
    def lag(question, log):
        return anyio.run(_late, question, log)

    found = bench.interleave(
        {shape: lambda log=log: lag(_ask, log) for shape, log in logs.items()}
        | {"nothing": lambda: lag(_nothing, logs["one file"])}
    )
    for shape in logs:
        what = f"event loop's lateness while a search runs, p99, {shape}"
        yield Result("L5", what, "ms", found[shape], "while nothing runs", found["nothing"], Goal("most", 20))


async def _ask(log):
    await LogStore(log.root).query(log.job_id, LogFilter(regex="[0-9]{7}[a-f]{3}z"))


async def _nothing(_log):
    await anyio.sleep(1)


async def _late(question, log):
    """How late a task wakes that sleeps again and again, in ms: of a hundred wakings the latest but one."""
    found = []

    async def tick():
        while True:
            due = time.perf_counter() + _TICK_SECONDS
            await anyio.sleep(_TICK_SECONDS)
            found.append((time.perf_counter() - due) * 1000)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tick)
        await question(log)
        tasks.cancel_scope.cancel()
    return sorted(found)[len(found) * 99 // 100]
