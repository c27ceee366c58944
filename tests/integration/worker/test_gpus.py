"""GPUs from the request to the figures: assigned once each, in the order of the queue, kept over a restart."""

import anyio
import pytest

from tests.nvml.driver import GIB

pytestmark = pytest.mark.anyio
LONG = {"environment": {"envVars": {"FAKE_SECONDS": "600"}}}
RUN = "/fluster.v1.WorkerService/RunJob"


def asking(gpus, **more):
    return {"resources": {"gpus": gpus}, **more}


async def known(worker, job_id):
    """The job once NVML told of its GPUs."""
    with anyio.fail_after(20):
        while True:
            job = await worker.job(job_id)
            if job["resources"]["gpus"] and job["resources"]["gpus"][0]["memory_used_bytes"] is not None:
                return job
            await anyio.sleep(0.02)


async def test_jobs_side_by_side_see_one_gpu_each_and_have_its_figures(worker, driver, tmp_path):
    driver.set(a=(3 * GIB, 97), b=(GIB, 5))
    go = tmp_path / "go"
    command = ("sh", "-c", f'echo "sees $CUDA_VISIBLE_DEVICES"; while [ ! -e {go} ]; do sleep 0.02; done')
    async with worker(max_jobs=3) as w:
        first, second = [await w.submit(*command, **asking(1)) for _ in range(2)]
        without = await w.submit(*command)
        jobs = [await known(w, first), await known(w, second)]
        assert [job["gpus"] for job in jobs] == [["GPU-a"], ["GPU-b"]]
        assert [job["limits"]["gpus"] for job in jobs] == [1, 1]
        assert [job["resources"]["gpus"] for job in jobs] == [
            [{"uuid": "GPU-a", "utilization_ratio": 0.97, "memory_used_bytes": 3 * GIB, "memory_peak_bytes": 3 * GIB}],
            [{"uuid": "GPU-b", "utilization_ratio": 0.05, "memory_used_bytes": GIB, "memory_peak_bytes": GIB}],
        ]
        assert "97 % busy" in (await w.http.get(f"/job/{first}")).text
        await w.until(without, "running")
        go.touch()
        ended = [await w.wait(job_id) for job_id in (first, second, without)]
        assert [job["status"] for job in ended] == ["succeeded"] * 3
        assert [await w.lines(job["job_id"], source="stdout") for job in ended] == [
            ["sees GPU-a"],
            ["sees GPU-b"],
            ["sees "],
        ]
        assert ended[0]["gpus"] == ["GPU-a"]
        assert ended[0]["resources"]["gpus"] == [
            {"uuid": "GPU-a", "utilization_ratio": None, "memory_used_bytes": None, "memory_peak_bytes": 3 * GIB}
        ]
        assert ended[2]["resources"]["gpus"] == []


async def test_jobs_wait_in_order_while_too_few_gpus_are_free(worker, driver):
    driver.set(a=(), b=())
    async with worker(runtime="fake", max_jobs=4) as w:
        one = await w.submit("x", **asking(1, **LONG))
        await w.until(one, "running")
        both = await w.submit("x", **asking(2, **LONG))
        behind = await w.submit("x")
        assert (await w.job(both))["status_message"] == "waiting for GPUs: 2 asked for, 1 free"
        assert [(await w.job(job_id))["status"] for job_id in (both, behind)] == ["pending", "pending"]
        await w.http.post(f"/api/jobs/{one}/kill")
        job = await w.until(both, "running")
        assert job["gpus"] == ["GPU-a", "GPU-b"]
        assert job["started_at"] >= (await w.wait(one))["finished_at"]
        assert (await w.wait(behind))["started_at"] >= job["started_at"]
        await w.http.post(f"/api/jobs/{both}/kill")
        assert (await w.wait(await w.submit("x", **asking(2))))["status"] == "succeeded"


async def test_those_behind_a_waiting_job_go_on_when_it_is_killed(worker, driver):
    driver.set(a=())
    async with worker(runtime="fake", max_jobs=4) as w:
        first, second = [await w.submit("x", **asking(1, **LONG)) for _ in range(2)]
        await w.until(first, "running")
        behind = await w.submit("x")
        await w.http.post(f"/api/jobs/{second}/kill")
        assert (await w.wait(behind))["status"] == "succeeded"
        assert (await w.wait(second))["gpus"] == []
        assert (await w.job(first))["status"] == "running"


async def test_a_queue_that_waits_for_gpus_is_bounded_like_any_other(worker, driver):
    driver.set(a=())
    async with worker(runtime="fake", max_jobs=4, queue_limit=1) as w:
        first = await w.submit("x", **asking(1, **LONG))
        await w.until(first, "running")
        await w.submit("x", **asking(1))
        answer = await w.http.post(RUN, json={"command": ["x"]})
        assert answer.json()["code"] == "resource_exhausted"


async def test_more_gpus_than_the_machine_has_are_unschedulable(worker, driver):
    driver.set(a=())
    async with worker(runtime="fake") as w:
        job = await w.wait(await w.submit("x", **asking(2)))
        assert (job["status"], job["error"]) == (
            "unschedulable",
            "gpus: it asks for 2, this machine has 1; ask for less",
        )


async def test_a_job_that_fails_to_start_gives_its_gpu_back(worker, driver):
    driver.set(a=())
    async with worker(runtime="fake") as w:
        script = {"environment": {"envVars": {"FAKE_FAIL": "start"}}}
        failed = await w.wait(await w.submit("x", **asking(1, **script)))
        assert (failed["status"], failed["gpus"]) == ("failed", ["GPU-a"])
        assert (await w.wait(await w.submit("x", **asking(1))))["status"] == "succeeded"


async def test_a_job_keeps_its_gpu_over_a_restart_and_the_queue_its_order(worker, driver, tmp_path):
    driver.set(a=(2 * GIB, 50), b=(GIB, 5))
    go = tmp_path / "go"
    command = ("sh", "-c", f"while [ ! -e {go} ]; do sleep 0.02; done")
    async with worker(drain="leave") as w:
        first = await w.submit(*command, **asking(1))
        await w.until(first, "running")
        both = await w.submit("sh", "-c", "echo $CUDA_VISIBLE_DEVICES", **asking(2))
    async with worker() as w:
        job = await known(w, first)
        assert (job["gpus"], job["resources"]["gpus"][0]["uuid"]) == (["GPU-a"], "GPU-a")
        assert (await w.job(both))["status"] == "pending"
        go.touch()
        assert (await w.wait(first))["resources"]["gpus"][0]["memory_peak_bytes"] == 2 * GIB
        assert (await w.wait(both))["status"] == "succeeded"
        assert await w.lines(both, source="stdout") == ["GPU-a,GPU-b"]


async def test_a_waiting_job_that_the_machine_can_no_longer_run_does_not_hold_up_the_queue(worker, driver):
    driver.set(a=(), b=())
    async with worker(runtime="fake", drain="leave") as w:
        holder = await w.submit("x", **asking(1, **LONG))
        await w.until(holder, "running")
        both = await w.submit("x", **asking(2))
        behind = await w.submit("x", **asking(1))
    driver.gpus.clear()
    driver.set(a=())
    async with worker(runtime="fake") as w:
        job = await w.wait(both)
        assert (job["status"], job["error"]) == (
            "unschedulable",
            "gpus: it asks for 2, this machine has 1; ask for less",
        )
        assert (await w.wait(behind))["status"] == "succeeded"


async def test_a_gpu_that_fails_while_a_job_runs_is_absent_and_the_job_goes_on(worker, driver):
    driver.set(a=(GIB, 50), b=(GIB, 60))
    async with worker(max_jobs=2) as w:
        job_id = await w.submit("sleep", "600", **asking(2))
        await known(w, job_id)
        driver.set(a=(GIB, 50, "fails"))
        with anyio.fail_after(20):
            while (await w.job(job_id))["resources"]["gpus"][0]["memory_used_bytes"] is not None:
                await anyio.sleep(0.02)
        bad, good = (await w.job(job_id))["resources"]["gpus"]
        assert bad == {"uuid": "GPU-a", "utilization_ratio": None, "memory_used_bytes": None, "memory_peak_bytes": GIB}
        assert good["utilization_ratio"] == 0.6
        assert (await w.job(job_id))["status"] == "running"
