"""The life of jobs on a real worker: ends, reasons, kills, order, restarts."""

import io
import os
import pickle
import stat
import time
import zipfile

import anyio
import cloudpickle
import pytest

from fluster.job import EndReason, JobRequest, JobState, Limits
from tests.integration.worker.conftest import cgroups_of

pytestmark = pytest.mark.anyio
EXAMPLES = os.path.join(os.path.dirname(__file__), "../../../examples")


def packed(name):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        for file in sorted(os.listdir(os.path.join(EXAMPLES, name))):
            info = zipfile.ZipInfo(file)
            info.external_attr = (stat.S_IFREG | 0o755) << 16
            with open(os.path.join(EXAMPLES, name, file), "rb") as source:
                bundle.writestr(info, source.read())
    return buffer.getvalue()


async def run_example(worker, name, *command, **more):
    sha256 = (await worker.http.put("/api/bundles", content=packed(name))).json()["sha256"]
    job_id = await worker.submit(*command, bundleSha256=sha256, **more)
    return await worker.wait(job_id)


def alive(marker):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if marker.encode() in file.read():
                    found.append(pid)
        except OSError:
            continue
    return found


async def test_a_job_runs_from_submission_to_its_figures(worker, runtime):
    async with worker(**runtime) as w:
        job = await run_example(w, "hello", "python", "hello.py")
        assert (job["status"], job["end_reason"], job["exit_code"]) == ("succeeded", "completed", 0)
        assert job["submitted_at"] <= job["started_at"] <= job["run_started_at"] <= job["finished_at"]
        assert job["resources"]["memory_peak_source"] == job["resources"]["cpu_source"] == "kernel"
        assert job["resources"]["cpu_user_seconds"] + job["resources"]["cpu_system_seconds"] > 0
        assert (await w.lines(job["job_id"], source="stdout"))[0].startswith(f"hello from job {job['job_id']}")
        files = (await w.http.get(f"/api/jobs/{job['job_id']}/files")).json()
        assert [file["path"] for file in files] == ["greeting.txt"]
        assert (await w.http.get(f"/api/jobs/{job['job_id']}/files/greeting.txt")).text == "hello\n"
        again = await run_example(w, "hello", "python", "hello.py")
        assert again["build"]["from_cache"]


async def test_a_spike_of_50_ms_is_in_the_peak_and_a_job_of_milliseconds_is_accounted(worker, runtime):
    async with worker(**runtime) as w:
        spike = await run_example(w, "spike", "python", "spike.py")
        assert spike["resources"]["memory_peak_bytes"] >= 300 * 1024**2
        assert spike["resources"]["memory_peak_source"] == "kernel"
        short = await run_example(w, "short", "./short.sh")
        assert short["resources"]["memory_peak_bytes"] > 0
        assert short["resources"]["cpu_user_seconds"] + short["resources"]["cpu_system_seconds"] > 0
        assert short["resources"]["memory_peak_source"] == short["resources"]["cpu_source"] == "kernel"


async def test_out_of_memory_is_the_reason_and_everyone_agrees(worker, runtime):
    async with worker(**runtime) as w:
        job = await run_example(w, "oom", "python", "oom.py", resources={"memory": "64m"})
        job_id = job["job_id"]
        assert (job["status"], job["end_reason"], job["exit_code"]) == ("failed", "oom", 137)
        assert job["resources"]["oom_kills"] >= 1
        metrics = await w.metrics()
        assert f'fluster_job_oom_killed{{job_id="{job_id}"}} 1\n' in metrics
        assert 'fluster_jobs_finished_total{state="failed",reason="oom"} 1\n' in metrics
        assert f'fluster_job_state{{job_id="{job_id}",state="failed"}} 1\n' in metrics
        assert "out of memory" in (await w.http.get(f"/job/{job_id}")).text
        assert "out of memory" in (await w.http.get("/")).text


async def test_nothing_of_a_tree_is_alive_after_it(worker, runtime):
    async with worker(**runtime) as w:
        marker = f"tree-{os.getpid()}"
        job = await run_example(w, "tree", "python", "tree.py", environment={"envVars": {"MARKER": marker}})
        assert job["status"] == "succeeded"
        assert alive(marker) == []
        assert cgroups_of(w.settings.worker_id) == []


async def test_a_timeout_ends_a_job_with_its_reason(worker, runtime):
    async with worker(**runtime) as w:
        job = await run_example(w, "timeout", "python", "timeout.py", timeoutSeconds=1)
        assert (job["status"], job["end_reason"]) == ("failed", "timeout")
        assert 0.9 < (job["finished_at"] - job["run_started_at"]) / 1000 < 15
        assert await w.lines(job["job_id"], source="stdout")


async def test_what_cannot_start_says_so(worker, runtime):
    async with worker(**runtime) as w:
        job = await w.wait(await w.submit("no-such-program"))
        assert (job["status"], job["end_reason"]) == ("failed", "start")
        assert "no-such-program" in job["error"]


async def test_a_kill_while_it_runs_waits_builds_is_confirmed_and_leaves_nothing(worker, runtime):
    async with worker(**runtime, max_jobs=1) as w:
        marker = f"kill-{os.getpid()}"
        variables = {"environment": {"envVars": {"MARKER": marker}}}
        running = await w.submit(
            "sh", "-c", "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done", **variables
        )
        pending = await w.submit("sleep", "600", **variables)
        await w.until(running, "running")
        await w.http.post(f"/api/jobs/{pending}/kill")
        job = await w.wait(pending)
        assert (job["status"], job["end_reason"], job["run_started_at"]) == ("killed", "user", None)
        with anyio.fail_after(20):
            while "ready" not in await w.lines(running):
                await anyio.sleep(0.02)
        await w.http.post(f"/api/jobs/{running}/kill")
        job = await w.wait(running)
        assert (job["status"], job["end_reason"]) == ("killed", "user")
        # pip finds no such index: the build would take long, and is cut short.
        slow = await w.submit(
            "true",
            environment={
                "pipPackages": ["no-such-package-at-all @ http://127.0.0.1:9/x.whl"],
                **variables["environment"],
            },
        )
        await w.until(slow, "building", "failed")
        await w.http.post(f"/api/jobs/{slow}/kill")
        assert (await w.wait(slow))["status"] in {"killed", "failed"}
        assert alive(marker) == []
        assert cgroups_of(w.settings.worker_id) == []


async def test_a_kill_while_it_builds(worker, tmp_path):
    """The build waits for a lock that the test holds, as for another worker: it is surely building."""
    import fcntl

    async with worker() as w:
        first = await w.wait(await w.submit("true"))
        key = first["build"]["image_tag"]
        with (w.settings.cache_dir / "environments" / f"{key}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            job_id = await w.submit("sleep", "600")
            await w.until(job_id, "building")
            await w.http.post(f"/api/jobs/{job_id}/kill")
            job = await w.wait(job_id)
        assert (job["status"], job["end_reason"], job["run_started_at"]) == ("killed", "user", None)
        assert cgroups_of(w.settings.worker_id) == []


async def test_ignored_sigterm_is_followed_by_sigkill_after_the_grace(worker, runtime):
    async with worker(**runtime) as w:
        job_id = await w.submit("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done")
        with anyio.fail_after(20):
            while "ready" not in await w.lines(job_id):
                await anyio.sleep(0.02)
        await w.http.post(f"/api/jobs/{job_id}/kill?grace_ms=300")
        job = await w.wait(job_id)
        assert (job["status"], job["end_reason"], job["exit_code"]) == ("killed", "user", 137)


async def test_a_disk_limit_ends_a_job(worker):
    async with worker() as w:
        job_id = await w.submit(
            "sh", "-c", "head -c 30000000 /dev/zero > big; sleep 600", resources={"disk": "10m"}, graceSeconds=1
        )
        job = await w.wait(job_id)
        assert (job["status"], job["end_reason"]) == ("failed", "disk_quota")


async def test_100_jobs_at_once_end_in_order_and_the_loop_never_blocks_for_long(worker):
    lags = []

    async def probe():
        while True:
            began = time.perf_counter()
            await anyio.sleep(0.005)
            lags.append(time.perf_counter() - began - 0.005)

    async with worker(runtime="fake", max_jobs=8) as w, anyio.create_task_group() as tasks:
        tasks.start_soon(probe)
        order = [
            await w.submit("x", jobId=f"j{number:03}", environment={"envVars": {"FAKE_SECONDS": "0.01"}})
            for number in range(100)
        ]
        jobs = [await w.wait(job_id) for job_id in order]
        tasks.cancel_scope.cancel()
    assert {job["status"] for job in jobs} == {"succeeded"}
    started = [job["started_at"] for job in jobs]
    assert started == sorted(started)
    lags.sort()
    print(f"loop lag: p99 {lags[int(len(lags) * 0.99)] * 1000:.1f} ms, max {lags[-1] * 1000:.1f} ms over 100 jobs")
    assert lags[-1] < 1.0


async def test_100_real_jobs_none_lost(worker):
    async with worker(max_jobs=8) as w:
        order = [await w.submit("sh", "-c", f"echo {number}") for number in range(100)]
        jobs = [await w.wait(job_id, 120) for job_id in order]
        assert [job["status"] for job in jobs] == ["succeeded"] * 100
        assert [await w.lines(job_id, source="stdout") for job_id in order[::10]] == [
            [str(n)] for n in range(0, 100, 10)
        ]
        assert (await w.http.get("/api/stats")).json()["completed"] == 100


async def test_a_full_queue_refuses_and_keeps_what_it_has(worker):
    async with worker(runtime="fake", max_jobs=1, queue_limit=1, drain="kill") as w:
        running = await w.submit("x", environment={"envVars": {"FAKE_SECONDS": "60"}})
        await w.until(running, "running")
        waiting = await w.submit("x")
        answer = await w.http.post("/fluster.v1.WorkerService/RunJob", json={"command": ["x"]})
        assert answer.json()["code"] == "resource_exhausted"
        assert "--queue-limit" in answer.json()["message"]
        await w.http.post(f"/api/jobs/{running}/kill")
        assert (await w.wait(waiting))["status"] == "succeeded"


async def test_what_no_machine_has_is_unschedulable(worker, runtime):
    async with worker(**runtime) as w:
        job = await w.wait(await w.submit("true", resources={"memory": "900t"}))
        assert job["status"] == "unschedulable"
        assert "memory: it asks for" in job["error"]


class _Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (exec, (f"open({self.path!r}, 'w').write('loaded by ' + str(__import__('os').getpid()))",))


@pytest.mark.parametrize("python_version", ["3.11", "3.7"])
async def test_a_pickled_call_is_loaded_in_the_job_only(services, tmp_path, python_version, runtime):
    trap = tmp_path / "trap"
    call = pickle.dumps((_Trap(str(trap)), (), {}))
    version = python_version if python_version == "3.7" else ".".join(__import__("platform").python_version_tuple()[:2])
    async with services(**runtime) as opened:
        from fluster.job import EnvironmentRequest

        job = await opened.manager.submit(
            JobRequest(name="trap", entrypoint=call, environment=EnvironmentRequest(python_version=version))
        )
        with anyio.fail_after(60):
            ended = await opened.manager.wait(job.id)
        assert ended.state is JobState.FAILED  # it is no (function, args, kwargs)
        if python_version == "3.7":
            assert ended.end_reason in {EndReason.START, EndReason.BUILD}
            assert "3.7" in ended.error
            assert not trap.exists()
    if trap.exists():
        assert trap.read_text() != f"loaded by {os.getpid()}"


async def test_a_pickled_call_gives_its_result(worker, runtime):
    from fluster.client import AsyncClient

    def multiply(a, b=2):
        return {"product": a * b}

    async with worker(**runtime) as w, AsyncClient(w.url) as client:
        job = await client.submit(multiply, args=(21,), kwargs={"b": 2})
        assert await job.result() == {"product": 42}
    assert cloudpickle


async def test_everything_acknowledged_survives_a_restart_and_running_jobs_go_on(worker, runtime):
    async with worker(**runtime, drain="leave", max_jobs=1) as w:
        done = await w.wait(await w.submit("sh", "-c", "echo kept; exit 4"))
        running = await w.submit("sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10; do echo $i; sleep 0.2; done; exit 6")
        await w.until(running, "running")
        waiting = [await w.submit("true") for _ in range(3)]
    async with worker(**runtime, max_jobs=1) as w:
        again = await w.job(done["job_id"])
        for field in ("status", "end_reason", "exit_code", "finished_at", "resources"):
            assert again[field] == done[field]
        assert (await w.lines(done["job_id"], source="stdout")) == ["kept"]
        job = await w.wait(running)
        assert (job["status"], job["exit_code"]) == ("failed", 6)
        assert await w.lines(running, source="stdout") == [str(n) for n in range(1, 11)]
        ends = [await w.wait(job_id) for job_id in waiting]
        assert [job["status"] for job in ends] == ["succeeded"] * 3
        assert [job["started_at"] for job in ends] == sorted(job["started_at"] for job in ends)


async def test_finished_jobs_are_forgotten_oldest_first_with_their_files(services, monkeypatch):
    monkeypatch.setattr("fluster.manager.upkeep._FORGET_SECONDS", 0.05)
    async with services(runtime="fake", keep_jobs=2) as opened:
        jobs = []
        for _ in range(5):
            job = await opened.manager.submit(JobRequest(name="x", command=("x",), limits=Limits()))
            jobs.append(await opened.manager.wait(job.id))
        with anyio.fail_after(20):
            while len(opened.manager.list().jobs) > 2:
                await anyio.sleep(0.02)
        assert [job.id for job in opened.manager.list().jobs] == [jobs[4].id, jobs[3].id]
        with anyio.fail_after(20):
            while opened.logs.directory(jobs[0].id).exists():
                await anyio.sleep(0.02)


async def test_infrastructure_that_fails_is_not_the_jobs_fault(services):
    async with services(runtime="fake") as opened:
        from fluster.job import EnvironmentRequest

        for script, says in (("vanish", "vanished"), ("wait", "went away")):
            request = JobRequest(
                name="x", command=("x",), environment=EnvironmentRequest(env_vars={"FAKE_FAIL": script})
            )
            ended = await opened.manager.wait((await opened.manager.submit(request)).id)
            assert (ended.state, ended.end_reason) == (JobState.WORKER_FAILED, EndReason.INFRASTRUCTURE)
            assert says in ended.error
        ok = await opened.manager.submit(JobRequest(name="x", command=("x",)))
        assert (await opened.manager.wait(ok.id)).state is JobState.SUCCEEDED
