"""L7: pauses between two reads of a log that is taken live: Fluster's own, which batch, and longer ones, for which a job would wait."""

from unittest import mock

from tests.benchmarks.logs.capturing import Stage
from tests.benchmarks.result import Note, Result

PACES = {"API": "fluster.runtime.docker.body._ROUND_SECONDS", "file": "fluster.runtime.docker.file_way._ROUND_SECONDS"}
NAPS = {"API": (0.005, 0.02), "file": (0.1,)}


def measure(bench):
    stage = Stage(bench, bench.pick(50_000, 5_000), 1)
    takes = {"API": stage.by_api, "file": stage.by_file}

    def napping(way, seconds):
        with mock.patch(PACES[way], seconds):
            return takes[way]()

    naps = [(way, nap) for way in takes for nap in NAPS[way]]
    found = bench.interleave(
        {"nobody": stage.alone, "docker-py": stage.docker_py, **takes}
        | {(way, nap): lambda way=way, nap=nap: napping(way, nap) for way, nap in naps}
    )
    rates = {side: [turn.rate / 1000 for turn in turns] for side, turns in found.items()}
    seconds = {side: [turn.job for turn in turns] for side, turns in found.items()}
    for way, nap in naps:
        name, what = f"pauses of {nap * 1000:g} ms", f"taken by the {way}, Fluster's own pauses"
        yield Result("L7", f"{what}: lines", "k/s", rates[way], name, rates[way, nap], good="more")
        yield Result("L7", f"{what}: the job's time", "s", seconds[way], name, seconds[way, nap])
    for way in takes:
        what = f"the job's time, taken by the {way}"
        yield Result("L7", what, "s", seconds[way], "docker-py, line by line", seconds["docker-py"])
        yield Result("L7", what, "s", seconds[way], "nobody takes", seconds["nobody"])
    yield Note(
        "L7: these jobs are short, and so their times spread; whether a job waits for who takes its log is judged in L1. The engine's local "
        "and json-file drivers write a file and go on: a slow reader by itself then stops nobody, it shares the machine with the job."
    )
