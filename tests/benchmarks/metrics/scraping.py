"""M5: a scrape as a real Prometheus sees it: a worker with 1000 jobs beside the library's own server with the same ones."""

import json
import sys
import time
import urllib.parse

from tests.benchmarks import worker as workers
from tests.benchmarks.metrics.jobs import make_jobs, remember
from tests.benchmarks.ports import free_port
from tests.benchmarks.program import find, read, running, until
from tests.benchmarks.result import Goal, Note, Result

CONFIGURATION = """
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: fluster
    static_configs: [{{targets: ["{fluster}"]}}]
  - job_name: library
    static_configs: [{{targets: ["{library}"]}}]
"""


def measure(bench):
    program = find("prometheus")
    count, folder = bench.pick(1000, 20), bench.folder()
    remember(folder / "state", make_jobs(count))
    port, own = free_port(), free_port()
    library = [sys.executable, "-m", "tests.benchmarks.metrics.library_server", str(port), str(count)]
    with (
        workers.started(folder, runtime="fake", worker_id="bench-scrape", metrics_retention="1d") as worker,
        running(library, log=folder / "library.out") as server,
    ):
        until(f"http://127.0.0.1:{port}/metrics", process=server)
        (folder / "prometheus.yml").write_text(
            CONFIGURATION.format(fluster=worker.url.removeprefix("http://"), library=f"127.0.0.1:{port}")
        )
        command = [
            program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{own}", "--log.level=warn",
        ]  # fmt: skip
        with running(command, log=folder / "prometheus.out") as prometheus:
            up = f"http://127.0.0.1:{own}/api/v1/query?query=sum(up)"
            until(up, lambda body: b'"2"]' in body, process=prometheus, seconds=60)
            began = time.time() + 2  # the first scrapes make the series
            # Both are scraped every second, each at its own moment of it: one window is one round.
            time.sleep(2 + bench.rounds * bench.pick(5, 3))
            durations = _ask(own, "scrape_duration_seconds", began)
            samples = _ask(own, "scrape_samples_scraped", began)
    rounds = {job: _medians(found, bench.rounds) for job, found in durations.items()}
    what = f"scrape as Prometheus sees it, {count} finished jobs"
    yield Result(
        "M5", what, "s", rounds["fluster"], "prometheus-client, families ready", rounds["library"], Goal("share", 1 / 3)
    )
    yield Note(
        f"M5: Prometheus took {samples['fluster'][-1]:.0f} samples from Fluster (the worker's own among them) and "
        f"{samples['library'][-1]:.0f} from the library; its own parsing and storing is in both durations."
    )


def _ask(port, name, began):
    """All samples since `began`, by job."""
    query = urllib.parse.urlencode({"query": f"{name}[{int(time.time() - began) + 1}s]"})
    answer = json.loads(read(f"http://127.0.0.1:{port}/api/v1/query?{query}"))
    return {each["metric"]["job"]: [float(value) for _, value in each["values"]] for each in answer["data"]["result"]}


def _medians(values, rounds):
    """One figure for each round: the median of its scrapes."""
    size = max(len(values) // rounds, 1)
    return [sorted(values[at * size : (at + 1) * size])[size // 2] for at in range(rounds)]
