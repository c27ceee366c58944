"""L2: CPU of a line that is taken while a container writes at full speed, of who takes it and of the engine's daemons."""

from tests.benchmarks.logs.capture import WAYS
from tests.benchmarks.logs.capturing import captured
from tests.benchmarks.result import Goal, Note, Result

AT_MOST = {"file": 0.8, "api": 1.2}
"""Microseconds."""


def measure(bench):
    for at_once, found in captured(bench).items():
        own = {side: [turn.own for turn in turns] for side, turns in found.items()}
        total = {side: [turn.own + turn.daemons for turn in turns] for side, turns in found.items()}
        written = "one line a write" if at_once == 1 else f"{at_once} lines a write"
        for way, name in WAYS.items():
            what = f"the worker's CPU of a line {name}, {written}"
            yield Result("L2", what, "µs", own[way], goal=Goal("most", AT_MOST[way]))
            yield Result("L2", what, "µs", own[way], "docker-py, line by line", own["docker-py"])
            what = f"the same with the daemons, {name}, {written}"
            goal = Goal("share", 0.5) if way == "file" else None
            yield Result("L2", what, "µs", total[way], "docker-py, line by line", total["docker-py"], goal)
            yield Result("L2", what, "µs", total[way], "the daemons, nobody takes", total["alone"])
    yield Note("L2: the daemons are dockerd and containerd; the shims and the job itself are not counted.")
