"""L1: lines a second that are taken with their times while a container writes them at full speed, and whether the job waits for that."""

from tests.benchmarks.logs.capturing import captured
from tests.benchmarks.result import Goal, Note, Result

WAYS = {"file": "by the engine's file", "api": "by its API"}
AT_LEAST = {("file", 1): 1.9, ("file", 60): 3, ("api", 1): 1.3, ("api", 60): 1.3}
"""Times docker-py's rate."""


def measure(bench):
    for at_once, found in captured(bench).items():
        rates = {side: [turn.rate / 1000 for turn in turns] for side, turns in found.items()}
        seconds = {side: [turn.job for turn in turns] for side, turns in found.items()}
        written = "one line a write" if at_once == 1 else f"{at_once} lines a write"
        for way, name in WAYS.items():
            what, goal = f"lines of 100 bytes taken {name}, {written}", Goal("more", AT_LEAST[way, at_once])
            yield Result(
                "L1", what, "k/s", rates[way], "docker-py, line by line", rates["docker-py"], goal, good="more"
            )
            for other in rates.keys() & {"docker logs"}:
                yield Result("L1", what, "k/s", rates[way], "docker logs -f -t", rates[other], good="more")
            yield Result("L1", what, "k/s", rates[way], "the job alone, local driver", rates["alone"], good="more")
            what = f"the job's own time, taken {name}, {written}"
            yield Result(
                "L1", what, "s", seconds[way], "docker-py, line by line", seconds["docker-py"], Goal("share", 1)
            )
            yield Result("L1", what, "s", seconds[way], "nobody, local driver", seconds["alone"])
        yield Result(
            "L1",
            f"the job alone, local driver, {written}",
            "k/s",
            rates["alone"],
            "json-file",
            rates["json-file alone"],
            good="more",
        )
    yield Note(
        "L1: the rate is of all the lines, from the job's start until its end is known and its log is written. Fluster asks for the engine's "
        "local driver; the others have json-file, which is what an engine does by itself."
    )
