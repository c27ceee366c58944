"""A real Prometheus scrapes a real worker while many short jobs pass: afterwards its counters say what the store says."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.monitoring import servers

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


@pytest.fixture
def prometheus(worker, tmp_path):
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [
            {"job_name": "fluster", "static_configs": [{"targets": [worker.url.removeprefix("http://")]}]}
        ],
    }
    with servers.prometheus(tmp_path, config) as server:
        yield server


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
