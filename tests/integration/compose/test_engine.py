"""docker-compose.engine.yml, really started: the worker drives the engine that it runs on."""

import shutil
import tempfile

import pytest

from tests.polling import until

pytestmark = [pytest.mark.docker, pytest.mark.cgroup]
SPIKE = "x = bytearray(100 << 20); print(len(x))"


@pytest.fixture(scope="module")
def state():
    """Below /tmp and by a short name: the engine mounts it by its path."""
    folder = tempfile.mkdtemp(prefix="fluster-state-", dir="/tmp")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def worker(state, start, docker, base_image):
    return start(
        "docker-compose.yml", "docker-compose.engine.yml", DOCKER_SOCKET=docker.url.removeprefix("unix://"), FLUSTER_STATE_DIR=state,
        DOCKER_DATA_DIR=docker("info", "--format", "{{.DockerRootDir}}").strip(), FLUSTER_BASE_IMAGE=base_image,
    )  # fmt: skip


def test_a_job_is_a_container_with_the_kernels_figures(worker, docker):
    job = worker.job("--memory", "256m", "--cpus", "0.5", "--", "python", "-c", SPIKE)
    assert (job["status"], job["error"]) == ("succeeded", None)
    assert worker.fluster("logs", "--source", "stdout", job["job_id"]) == str(100 << 20)
    metrics = worker.get("/metrics")
    peak = f'fluster_job_memory_peak_bytes{{job_id="{job["job_id"]}",source="kernel"}} '
    assert 100 << 20 < float(metrics.split(peak)[1].split()[0]) < 256 << 20
    assert f'fluster_job_network_receive_bytes_total{{job_id="{job["job_id"]}"}}' in metrics
    assert 'fluster_worker_info{worker_id="worker-1",runtime="docker"' in metrics


def test_the_output_of_another_user_is_read(worker, docker, base_image):
    docker("build", "--quiet", "--tag", "fluster-other-user:test", "-", input=f"FROM {base_image}\nUSER 1000:1000\n")
    script = "umask 077; mkdir $FLUSTER_OUTPUT_DIR/mine; id -u > $FLUSTER_OUTPUT_DIR/mine/result"
    job = worker.job("--image", "fluster-other-user:test", "--", "sh", "-c", script)
    docker("rmi", "--force", "fluster-other-user:test")
    assert (job["status"], job["error"]) == ("succeeded", None)
    assert worker.get(f"/api/jobs/{job['job_id']}/files/mine/result").strip() == "1000"


def test_a_job_has_no_socket(worker):
    assert worker.job("--", "sh", "-c", "test ! -e /var/run/docker.sock")["status"] == "succeeded"


def test_the_worker_reads_the_engines_log_files_itself(worker, docker):
    job_id = worker.fluster("submit", "--", "sleep", "600")
    running = ("ps", "--no-trunc", "--quiet", "--filter", f"label=fluster.job_id={job_id}")
    (container,) = until(lambda: docker(*running).split())
    log = f"{docker('info', '--format', '{{.DockerRootDir}}').strip()}/containers/{container}"
    opened = "ls -l $(ls -d /proc/[0-9]*/fd | grep -v self) 2> /dev/null | grep "
    until(lambda: log in worker.run("sh", "-c", f"{opened} {container} || true"))
    worker.fluster("kill", job_id)


def test_an_agent_in_its_group_reads_the_logs(worker, docker, image):
    job = worker.job("--", "echo", "for the agent")
    agent = ("run", "--rm", "--user=473:10001", "--cap-drop=ALL", "--entrypoint=cat")
    logs = f"--volume={worker.project}_worker-logs:/var/lib/fluster/logs:ro"
    assert "for the agent" in docker(*agent, logs, image, f"/var/lib/fluster/logs/{job['job_id']}/job.log")
