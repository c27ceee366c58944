"""M2: the worker's CPU share while its containers do nothing, beside others that watch the same containers."""

import subprocess
import time
from contextlib import ExitStack
from statistics import median

from tests.benchmarks.cpu import shares_over, with_children
from tests.benchmarks.metrics.idle_worker import WORKER_ID, idle_worker
from tests.benchmarks.metrics.netdata import watching
from tests.benchmarks.program import find, running
from tests.benchmarks.result import Goal, Missing, Note, Result
from tests.engine.base_image import docker_cli

WHAT = "CPU share of the worker, {count} {kind} containers"


def measure(bench):
    few, many, seconds = bench.pick(20, 2), bench.pick(60, 3), bench.pick(8, 1)
    with idle_worker(bench, slots=many) as idle, ExitStack() as stack:
        idle.fill(few)
        netdata = None
        try:
            netdata = stack.enter_context(
                watching(bench.folder(), worker_id=WORKER_ID, cgroup_version=_cgroup_version(bench), containers=few)
            )
        except Missing as missing:
            yield Note(f"M2: {missing}")
        yield Note(
            "M2: cAdvisor left out: Debian has no package of it and there is no registry to take its image from."
        )
        groups = {"worker": idle.worker.pids, "daemons": bench.engine.pids}
        if netdata is not None:
            groups["netdata"] = netdata.pids
        time.sleep(bench.pick(5, 0))  # the start of containers is no rest
        yield from _others(bench, groups, seconds, few)
        idle.fill(many)
        time.sleep(bench.pick(15, 0))  # netdata looks for new cgroups every 10 s
        yield from _alone(bench, groups, seconds, many, "idle")
        idle.wake()
        time.sleep(bench.pick(3, 0))
        yield from _alone(bench, groups, seconds, many, "busy")


def _cgroup_version(bench):
    return int(bench.engine.docker("info", "--format", "{{.CgroupVersion}}"))


def _others(bench, groups, seconds, count):
    """Worker and netdata watch all the time; glances and `docker stats` take turns."""
    sides = {"alone": lambda: shares_over(seconds, **groups)}
    try:
        glances = _glances()
        sides["glances"] = lambda: _beside(glances, bench, groups, seconds, bench.pick(4, 1))
    except Missing as missing:
        yield Note(f"M2: {missing}")
    sides["docker stats"] = lambda: _beside([docker_cli(), "stats"], bench, groups, seconds, bench.pick(4, 1))
    found = bench.interleave(sides)
    what = WHAT.format(count=count, kind="idle")
    ours = [each["worker"] for each in found["alone"]]
    if "netdata" in groups:
        yield Result(
            "M2",
            what,
            "%",
            ours,
            "netdata, cgroups plugin alone",
            [each["netdata"] for each in found["alone"]],
            Goal("share", 1.0),
        )
    for name in ("glances", "docker stats"):
        if name in found:
            yield Result(
                "M2",
                what,
                "%",
                ours,
                f"{name}, with the daemons' share",
                [each["other"] + each["daemons"] for each in found[name]],
            )
    idle = median(each["daemons"] for each in found["alone"])
    yield Note(f"M2: beside the worker alone the daemons took {idle:.2f} %; with others, client + daemons: " + "; ".join(
        f"{name} {median(each['other'] for each in found[name]):.2f} + {median(each['daemons'] for each in found[name]):.2f} %"
        for name in found if name != "alone"
    ))  # fmt: skip


def _glances():
    """Raises Missing: the program alone sees no container."""
    program = find("glances")
    done = subprocess.run(["/usr/bin/python3", "-c", "import docker, dateutil"], capture_output=True, check=False)
    if done.returncode:
        raise Missing("glances sees no containers here; apt-get install python3-docker python3-dateutil")
    return [program, "--stdout", "docker", "--time", "1", "--disable-check-update"]


def _beside(command, bench, groups, seconds, start_seconds):
    with running(command, log="/dev/null", environment=bench.engine.environment) as process:
        time.sleep(start_seconds)
        shares = shares_over(seconds, **groups, other=lambda: with_children(process.pid))
        if process.poll() is not None:
            raise subprocess.CalledProcessError(process.returncode, command)
    time.sleep(start_seconds / 2)  # the daemons put away what they kept for it
    return shares


def _alone(bench, groups, seconds, count, kind):
    found = bench.interleave({"alone": lambda: shares_over(seconds, **groups)})["alone"]
    ours = [each["worker"] for each in found]
    theirs = [each["netdata"] for each in found] if "netdata" in groups else []
    name = "netdata, cgroups plugin alone" if theirs else ""
    yield Result(
        "M2", WHAT.format(count=count, kind=kind), "%", ours, name, theirs, Goal("share", 1.0) if theirs else None
    )
