"""M6: CPU of one exported line, 20 containers: what a scrape costs the process that answers it, its cost at rest taken off."""

import http.client
import time
from contextlib import ExitStack

from tests.benchmarks.cpu import cpu_seconds, with_children
from tests.benchmarks.metrics.idle_worker import WORKER_ID, idle_worker
from tests.benchmarks.metrics.netdata import watching
from tests.benchmarks.ports import free_port
from tests.benchmarks.program import find, running, until
from tests.benchmarks.result import Goal, Missing, Note, Result

MICRO = 1e6


class Target:
    """Something that answers scrapes, over one connection."""

    def __init__(self, address, path, pids):
        self.path = path
        self.pids = pids
        self.connection = http.client.HTTPConnection(address, timeout=30)

    def scrape(self):
        self.connection.request("GET", self.path)
        return self.connection.getresponse().read()

    def cost(self, turns, seconds):
        """CPU microseconds of a line."""
        pids = self.pids()
        before = cpu_seconds(pids)
        time.sleep(seconds)
        at_rest = (cpu_seconds(pids) - before) / seconds
        self.connection.close()  # a server ends one that was silent for seconds; the next request opens another
        lines, before, began = 0, cpu_seconds(pids), time.monotonic()
        for _ in range(turns):
            lines += sum(bool(line) and not line.startswith(b"#") for line in self.scrape().splitlines())
        used = cpu_seconds(pids) - before - at_rest * (time.monotonic() - began)
        return used / lines * MICRO


def measure(bench):
    count = bench.pick(20, 2)
    with idle_worker(bench, slots=count) as idle, ExitStack() as stack:
        idle.fill(count)
        targets = {"ours": Target(idle.worker.url.removeprefix("http://"), "/metrics", idle.worker.pids)}
        for name, start in (("netdata", _netdata), ("node_exporter", _node_exporter)):
            try:
                targets[name] = start(bench, stack, count)
            except Missing as missing:
                yield Note(f"M6: {missing}")
        sizes = {name: target.scrape().count(b"\n") for name, target in targets.items()}
        time.sleep(bench.pick(5, 0))
        turns, seconds = bench.pick(100, 5), bench.pick(4, 0.5)
        found = bench.interleave(
            {name: lambda target=target: target.cost(turns, seconds) for name, target in targets.items()}
        )
    what = f"CPU of an exported line, {count} containers"
    if "netdata" in found:
        yield Result("M6", what, "µs", found["ours"], "netdata, allmetrics", found["netdata"], Goal("share", 1.2))
    if "node_exporter" in found:
        yield Result("M6", what, "µs", found["ours"], "node_exporter", found["node_exporter"])
    yield Note("M6: lines of one scrape with comments: " + ", ".join(f"{name} {size}" for name, size in sizes.items()))


def _netdata(bench, stack, count):
    version = int(bench.engine.docker("info", "--format", "{{.CgroupVersion}}"))
    netdata = stack.enter_context(
        watching(bench.folder(), worker_id=WORKER_ID, cgroup_version=version, containers=count)
    )
    address, _, path = netdata.metrics.removeprefix("http://").partition("/")
    return Target(address, f"/{path}", netdata.pids)


def _node_exporter(bench, stack, _count):
    port = free_port()
    command = [find("prometheus-node-exporter"), f"--web.listen-address=127.0.0.1:{port}"]
    process = stack.enter_context(running(command, log=bench.folder() / "out"))
    until(f"http://127.0.0.1:{port}/metrics", process=process)
    return Target(f"127.0.0.1:{port}", "/metrics", lambda: with_children(process.pid))
