"""The worker of docker-compose.yml, really started: its jobs, its rights, and its end."""

import json

import pytest

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def worker(start):
    return start("docker-compose.yml")


def test_a_job_runs_and_shows_in_the_metrics(worker):
    job = worker.job("--", "sh", "-c", "echo hello; id -u")
    assert (job["status"], job["exit_code"]) == ("succeeded", 0)
    assert worker.fluster("logs", job["job_id"]).split() == ["hello", "10001"]
    metrics = worker.get("/metrics", host="worker:8080")  # the name that Prometheus uses
    assert f'fluster_job_exit_code{{job_id="{job["job_id"]}"}} 0' in metrics
    assert 'fluster_worker_info{worker_id="worker-1",runtime="process"' in metrics


def test_uv_makes_the_environment_of_a_job(worker):
    job = worker.job("--", "python", "-c", "import sys; print(sys.prefix)")
    assert (job["status"], job["error"]) == ("succeeded", None)
    assert worker.fluster("logs", "--source", "stdout", job["job_id"]).startswith("/var/cache/fluster/environments/")


def test_it_has_no_rights_but_those_of_its_user(worker):
    status = worker.run("cat", "/proc/self/status")
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert facts["Uid"].split() == ["10001"] * 4
    assert int(facts["CapBnd"], 16) == 0
    assert facts["NoNewPrivs"] == "1"


def test_an_agent_in_its_group_reads_the_logs_and_nothing_else(worker, docker, image):
    job = worker.job("--", "echo", "for the agent")
    agent = ("run", "--rm", "--user=473:10001", "--cap-drop=ALL", "--entrypoint=cat")
    logs = f"--volume={worker.project}_worker-logs:/var/lib/fluster/logs:ro"
    assert "for the agent" in docker(*agent, logs, image, f"/var/lib/fluster/logs/{job['job_id']}/job.log")


def test_a_page_that_points_its_own_name_at_loopback_stays_out(worker):
    with pytest.raises(AssertionError, match="HTTP Error 421"):
        worker.get("/api/jobs", host="evil.example:8080")


def test_stopping_it_ends_it_cleanly_within_its_grace(start, docker):
    worker = start("docker-compose.yml")
    job_id = worker.fluster("submit", "--", "sleep", "600")
    docker("stop", "--time", "30", worker.container)
    assert (worker.state["ExitCode"], worker.state["OOMKilled"]) == (0, False)
    docker("start", worker.container)
    worker.healthy()
    assert json.loads(worker.fluster("show", "--json", job_id))["end_reason"] == "shutdown"
