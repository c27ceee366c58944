"""A real Prometheus scrapes a real worker while many short jobs pass: afterwards its counters say what the store says."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

JOBS = 150
KINDS = {
    "good": {"command": ["true"]},
    "failing": {"command": ["sh", "-c", "exit 3"]},
    "busy": {"command": ["sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"]},
    "greedy": {"command": ["tail", "/dev/zero"], "resources": {"memory": "16m"}},
    "greedy child": {"command": ["sh", "-c", "tail /dev/zero; true"], "resources": {"memory": "16m"}},
}
"""What a job does."""

pytestmark = [pytest.mark.prometheus, pytest.mark.cgroup]


class Prometheus:
    def __init__(self, url):
        self.url = url

    def query(self, text, at=None):
        """The one number that the query gives; None where it gives nothing."""
        params = {"query": text, **({"time": at} if at else {})}
        found = httpx2.get(f"{self.url}/api/v1/query", params=params).raise_for_status().json()["data"]["result"]
        assert len(found) <= 1, found
        return float(found[0]["value"][1]) if found else None

    def until(self, text, wanted):
        deadline = time.monotonic() + 60
        while (found := self.query(text)) != wanted:
            assert time.monotonic() < deadline, f"{text} is {found}, not {wanted}"
            time.sleep(0.1)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def prometheus(worker, tmp_path):
    port = free_port()
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [
            {"job_name": "fluster", "static_configs": [{"targets": [worker.url.removeprefix("http://")]}]}
        ],
    }
    (tmp_path / "prometheus.yml").write_text(json.dumps(config))
    program = shutil.which("prometheus")
    if program is None and os.environ.get("FLUSTER_TEST_ALLOW_MISSING"):
        pytest.skip("prometheus is missing, and FLUSTER_TEST_ALLOW_MISSING is set")
    with (tmp_path / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                program or "prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log, stderr=log,
        )  # fmt: skip
    server = Prometheus(f"http://127.0.0.1:{port}")
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx2.get(f"{server.url}/-/ready").raise_for_status()
                break
            except httpx2.HTTPError:
                assert time.monotonic() < deadline, (tmp_path / "prometheus.log").read_text()
                time.sleep(0.05)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@pytest.mark.timeout(300)
def test_increases_of_many_short_jobs_are_what_the_store_says(worker, prometheus):
    finished = "sum(fluster_jobs_finished_total)"
    prometheus.until(finished, 0)  # the zeros from the start: without them there is nothing to increase from
    requests = [KINDS[_kind(number)] for number in range(JOBS)]
    with ThreadPoolExecutor(8) as threads:
        ids = list(threads.map(worker.request, requests))
    for job_id in ids:
        worker.wait(job_id)
    prometheus.until(finished, JOBS)
    # At the moment of a sample nothing is extrapolated.
    at = prometheus.query("max(timestamp(fluster_slots))")

    def increase(selector):
        return prometheus.query(f"sum(increase({selector}[15m]))", at)

    jobs = worker.stored()
    assert len(jobs) == JOBS
    assert increase("fluster_jobs_finished_total") == pytest.approx(JOBS, rel=1e-9)
    outcomes = Counter((job.state.label, job.end_reason.value) for job in jobs)
    assert len(outcomes) == 3
    for (state, reason), count in outcomes.items():
        selector = f'fluster_jobs_finished_total{{state="{state}",reason="{reason}"}}'
        assert increase(selector) == pytest.approx(count, rel=1e-9)
    cpu = sum(job.figures.cpu_seconds for job in jobs)
    assert increase("fluster_finished_job_cpu_seconds_sum") == pytest.approx(cpu, rel=1e-6)
    assert increase("fluster_finished_job_cpu_seconds_count") == pytest.approx(JOBS, rel=1e-9)
    kills = sum(job.figures.oom_kills for job in jobs)
    assert kills >= JOBS // 25
    assert increase("fluster_finished_job_oom_kills_total") == pytest.approx(kills, rel=1e-9)
    # Each job's own series hold its final figures for the retention time.
    assert prometheus.query("sum(fluster_job_cpu_seconds_total)", at) == pytest.approx(cpu, rel=1e-6)
    assert prometheus.query("sum(fluster_job_oom_kills_total)", at) == kills
    assert prometheus.query("min(up)") == 1
    assert prometheus.query("min(min_over_time(fluster_collector_success[15m]))") == 1


def _kind(number):
    if number % 50 == 7:
        return "greedy"
    if number % 50 == 8:
        return "greedy child"
    return ("good", "failing", "busy")[number % 3]
