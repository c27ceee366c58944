"""A full disk below the logs: the job goes on, what is lost is counted and shown, and writing goes on once there is room."""

import re
import subprocess

import anyio
import pytest

pytestmark = [pytest.mark.anyio, pytest.mark.cgroup]
FLOOD = 40_000
PROGRAM = f"""
import os, time
for number in range({FLOOD}):
    print(f"flood {{number:06d}}", "x" * 1000)
while not os.path.exists(os.environ["FLUSTER_OUTPUT_DIR"] + "/go"):
    time.sleep(0.05)
for number in range(100):
    print(f"after {{number}}")
"""


@pytest.fixture
def small_disk(settings):
    """16 MiB for all logs; returns a function that makes room."""
    logs = settings().state_dir / "logs"
    logs.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", logs], check=True)
    try:
        yield lambda: subprocess.run(["mount", "-o", "remount,size=200m", logs], check=True)
    finally:
        subprocess.run(["umount", "--lazy", logs], check=True)


async def until(found, *, seconds=60):
    with anyio.fail_after(seconds):
        while not (value := await found()):
            await anyio.sleep(0.05)
    return value


def go(w, job_id):
    (w.settings.state_dir / "work" / job_id / "output" / "go").touch()


async def test_a_job_of_processes_goes_on_and_its_loss_is_told(worker, small_disk):
    async with worker(runtime="process") as w:
        job_id = await w.submit("python", "-u", "-c", PROGRAM)

        async def lost():
            return (await w.job(job_id))["logs"]["dropped_lines"]

        await until(lost)
        small_disk()
        go(w, job_id)
        job = await w.wait(job_id)
        assert (job["status"], job["end_reason"]) == ("succeeded", "completed")
        missing = job["logs"]["lost"]["stdout"]
        assert 0 < missing < FLOOD
        assert job["logs"]["lines"]["stdout"] == FLOOD + 100 - missing
        assert (await w.lines(job_id, tail=100)) == [f"after {number}" for number in range(100)]
        entries = (await w.http.get(f"/api/jobs/{job_id}/logs", params={"grep": "^(flood 000000|after 0$)"})).json()
        assert entries[0]["dropped"] == 0
        assert entries[-1]["data"] == "after 0"
        assert sum(entry["dropped"] for entry in entries) == missing
        assert re.search(
            rf'fluster_job_log_dropped_lines_total{{job_id="{job_id}",source="stdout",reason="disk_full"}} {missing}\n', await w.metrics()
        )  # fmt: skip
        text = (await w.http.get(f"/api/jobs/{job_id}/logs/download", params={"source": "stdout"})).text
        told = [int(number) for number in re.findall(r"^\[(\d+) lines are missing here\]$", text, re.MULTILINE)]
        assert sum(told) == missing


@pytest.mark.docker
async def test_what_an_engine_keeps_is_not_lost(worker, small_disk, engine, base_image, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", engine)
    async with worker(runtime="docker", base_image=base_image) as w:
        job_id = await w.submit("python3", "-u", "-c", PROGRAM)

        async def full():
            return (await w.job(job_id))["logs"]["bytes"].get("stdout", 0) > 12_000_000

        await until(full)
        go(w, job_id)
        small_disk()
        job = await w.wait(job_id)
        assert job["status"] == "succeeded"
        assert job["logs"]["dropped_lines"] == 0
        assert job["logs"]["lines"]["stdout"] == FLOOD + 100
