"""Keeping strangers, secrets and hostile text out of the doors of a real worker."""

import httpx2 as httpx
import pytest
from connectrpc.code import Code
from connectrpc.errors import ConnectError

from fluster.v1 import cluster_pb2 as pb
from fluster.v1.cluster_connect import WorkerServiceClient

pytestmark = pytest.mark.anyio
RUN = "/fluster.v1.WorkerService/RunJob"


async def test_strangers_stay_out(worker, tmp_path):
    async with worker(runtime="fake") as w:
        for headers, status in (
            ({"Host": "evil.example"}, 421),
            ({"Host": "localhost"}, 200),
            ({"Host": "127.0.0.1:1"}, 200),
        ):
            assert (await w.http.get("/api/jobs", headers=headers)).status_code == status
        job_id = await w.submit("x", environment={"envVars": {"FAKE_SECONDS": "60"}})
        for headers, status in (
            ({"Origin": "http://evil.example"}, 403),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Origin": w.url}, 202),
        ):
            assert (await w.http.post(f"/api/jobs/{job_id}/kill", headers=headers)).status_code == status
        page = await w.http.get("/")
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["x-frame-options"] == "DENY"


async def test_a_token_opens_the_doors_and_nothing_else_does(worker, tmp_path):
    (tmp_path / "token").write_text("s3cret\n")
    (tmp_path / "metrics").write_text("scrape\n")
    async with worker(runtime="fake", token_file=tmp_path / "token", metrics_token_file=tmp_path / "metrics") as w:
        async with httpx.AsyncClient(base_url=w.url) as stranger:
            assert (await stranger.get("/healthz")).status_code == 200
            for path in ("/api/jobs", "/metrics", "/readyz", "/"):
                answer = await stranger.get(path)
                assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
            assert (await stranger.post(RUN, json={"command": ["x"]})).status_code == 401
            assert (await stranger.get("/metrics", headers={"Authorization": "Bearer scrape"})).status_code == 200
            assert (await stranger.get("/api/jobs", headers={"Authorization": "Bearer scrape"})).status_code == 401
            assert (await stranger.get("/", headers={"Accept": "text/html"})).headers["location"] == "/login"
            assert (await stranger.post("/login", data={"token": "wrong"})).status_code == 401
            assert (await stranger.post("/login", data={"token": "s3cret"})).status_code == 303
            assert (await stranger.get("/")).status_code == 200
            job_id = await w.submit("x", environment={"envVars": {"FAKE_SECONDS": "60"}})
            assert (await stranger.post(f"/api/jobs/{job_id}/kill")).status_code == 401
            assert (await stranger.post(f"/api/jobs/{job_id}/kill", headers={"X-Fluster": "1"})).status_code == 202
        async with WorkerServiceClient(w.url) as client:
            with pytest.raises(ConnectError) as refused:
                await client.health_check(pb.HealthRequest())
            assert refused.value.code is Code.UNAUTHENTICATED


async def test_secrets_are_never_listed(worker):
    async with worker() as w:
        job_id = await w.submit("true", environment={"envVars": {"API_KEY": "hunter2"}})
        await w.wait(job_id)
        for path in (f"/api/jobs/{job_id}", "/api/jobs", f"/job/{job_id}", "/metrics", f"/api/jobs/{job_id}/logs"):
            assert "hunter2" not in (await w.http.get(path)).text
        assert (await w.job(job_id))["environment"]["names"] == ["API_KEY"]


async def test_hostile_names_and_lines_are_inert_in_the_pages(worker):
    async with worker(runtime="fake") as w:
        evil = "<script>alert(1)</script>{{7*7}}"
        job_id = await w.submit("x", name=evil, environment={"envVars": {"FAKE_STDOUT": evil + "\n"}})
        await w.wait(job_id)
        for path in ("/", f"/job/{job_id}"):
            text = (await w.http.get(path)).text
            assert "<script>alert" not in text
            assert "&lt;script&gt;alert(1)" in text
            assert "{{7*7}}" in text
        missing = await w.http.get("/job/none")
        assert missing.status_code == 404
        assert "<h1>Not found</h1>" in missing.text
