"""What is bounded at the doors of a real worker, and that the bound is given back."""

import anyio
import pytest
from connectrpc.code import Code
from connectrpc.errors import ConnectError

from fluster.v1 import cluster_pb2 as pb
from fluster.v1.cluster_connect import WorkerServiceClient
from fluster.web import followers

pytestmark = pytest.mark.anyio
RPC = "/fluster.v1.WorkerService"


async def test_an_absurd_number_of_cores_does_not_spoil_the_list(worker):
    async with worker(runtime="fake") as w:
        answer = await w.http.post(f"{RPC}/RunJob", json={"command": ["x"], "resources": {"cpu": 2**31 - 1}})
        assert answer.json()["message"].startswith("resources.cpu: ")
        job_id = await w.submit("x", resources={"cpu": 1_000_000})
        assert (await w.wait(job_id))["status"] == "unschedulable"
        async with WorkerServiceClient(w.url) as client:
            listed = await client.list_jobs(pb.ListJobsRequest())
        assert [job.limits.cpu_millicores for job in listed.jobs] == [1_000_000_000]


async def test_a_request_that_does_not_say_its_size_is_refused_while_it_is_read(worker):
    sent = 0

    async def endless():
        nonlocal sent
        while sent < 50_000_000:
            sent += 10_000
            yield b"x" * 10_000

    async with worker(runtime="fake", max_request=100_000) as w:
        answer = await w.http.post(f"{RPC}/RunJob", content=endless(), headers={"Content-Type": "application/json"})
        assert answer.json()["code"] == "resource_exhausted"
        async with WorkerServiceClient(w.url) as client:
            with pytest.raises(ConnectError) as refused:
                await client.run_job(pb.RunJobRequest(command=["x" * 200_000]))
            assert refused.value.code is Code.RESOURCE_EXHAUSTED
        assert (await w.http.get("/healthz")).status_code == 200


async def test_followers_are_bounded_on_both_doors_and_a_place_is_given_back(worker, monkeypatch):
    monkeypatch.setattr(followers.Followers.__init__, "__defaults__", (1,))
    async with worker(runtime="fake") as w:
        job_id = await w.submit("x", environment={"envVars": {"FAKE_SECONDS": "600", "FAKE_STDOUT": "a\n"}})
        await w.until(job_id, "running")
        address = f"/api/jobs/{job_id}/logs/stream"
        async with w.http.stream("GET", address) as first:
            parts = first.aiter_bytes()
            await anext(parts)
            refused = await w.http.get(address)
            assert (refused.status_code, refused.json()["code"]) == (429, "resource_exhausted")
        with anyio.fail_after(10):
            while True:
                async with w.http.stream("GET", address) as again:
                    if again.status_code == 200:
                        break
        async with WorkerServiceClient(w.url) as client:
            stream = client.stream_logs(pb.FetchLogsRequest(job_id=job_id))
            await anext(stream)
            with pytest.raises(ConnectError) as full:
                await anext(client.stream_logs(pb.FetchLogsRequest(job_id=job_id)))
            assert full.value.code is Code.RESOURCE_EXHAUSTED
            await stream.aclose()
            with anyio.fail_after(10):
                while True:
                    try:
                        await anext(client.stream_logs(pb.FetchLogsRequest(job_id=job_id)))
                        break
                    except ConnectError:
                        await anyio.sleep(0.02)


async def test_a_part_of_an_output_file_may_be_asked_for(worker):
    async with worker() as w:
        job_id = await w.submit("sh", "-c", 'printf 0123456789 > "$FLUSTER_OUTPUT_DIR/digits"')
        await w.wait(job_id)
        part = await w.http.get(f"/api/jobs/{job_id}/files/digits", headers={"Range": "bytes=2-4"})
        assert (part.status_code, part.text) == (206, "234")
        whole = await w.http.get(f"/api/jobs/{job_id}/files/digits")
        assert (whole.text, whole.headers["content-disposition"]) == ("0123456789", 'attachment; filename="digits"')
