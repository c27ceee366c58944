"""REST, RPC, /metrics and the pages of one real worker: they agree, refuse in one sentence, and keep strangers out."""

import io
import json
import os
import stat
import subprocess
import zipfile

import anyio
import jsonschema
import pytest
from openapi_spec_validator import validate

from fluster.v1 import cluster_pb2 as pb
from fluster.v1.cluster_connect import WorkerServiceClient

pytestmark = pytest.mark.anyio
RUN = "/fluster.v1.WorkerService/RunJob"


def packed(name, data=b"x", mode=stat.S_IFREG | 0o644):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = mode << 16
        bundle.writestr(info, data)
    return buffer.getvalue()


async def test_curl_the_generated_client_and_rest_show_the_same_job(worker):
    async with worker() as w:
        job_id = await w.submit(
            "sh", "-c", "echo out; echo err >&2; exit 3", name="three", resources={"memory": "128m"}
        )
        rest = await w.wait(job_id)
        curl = await anyio.run_process(
            [
                "curl",
                "-s",
                "-H",
                "Content-Type: application/json",
                "-d",
                json.dumps({"jobId": job_id}),
                f"{w.url}/fluster.v1.WorkerService/GetJobStatus",
            ]
        )
        connect = json.loads(curl.stdout)
        async with WorkerServiceClient(w.url) as client:
            status = await client.get_job_status(pb.GetStatusRequest(job_id=job_id))
            listed = await client.list_jobs(pb.ListJobsRequest(states=[pb.JOB_STATE_FAILED]))
            logs = await client.fetch_logs(
                pb.FetchLogsRequest(job_id=job_id, filter=pb.FetchLogsFilter(sources=["stdout", "stderr"]))
            )
            streamed = [entry async for entry in client.stream_logs(pb.FetchLogsRequest(job_id=job_id))]
            health = await client.health_check(pb.HealthRequest())
        assert rest["job_id"] == connect["jobId"] == status.job_id == job_id
        assert rest["exit_code"] == connect["exitCode"] == status.exit_code == 3
        assert (rest["status"], connect["state"], status.state) == ("failed", "JOB_STATE_FAILED", pb.JOB_STATE_FAILED)
        assert rest["end_reason"] == connect["endReason"] == status.end_reason == "exit_code"
        assert (
            rest["resources"]["memory_peak_bytes"]
            == int(connect["resourceUsage"]["memoryPeakBytes"])
            == status.resource_usage.memory_peak_bytes
        )
        assert rest["started_at"] == int(connect["startedAtMs"]) == status.started_at_ms
        assert [job.job_id for job in listed.jobs] == [job_id]
        assert {(entry.source, entry.data) for entry in logs.logs} == {("stdout", "out"), ("stderr", "err")}
        assert [entry.sequence for entry in streamed] == list(range(len(streamed)))
        assert health.healthy
        row = (await w.http.get("/api/jobs", params={"text": "THREE"})).json()[0]
        assert row["exit_code"] == 3
        assert row["limits"]["memory_bytes"] == 128 * 1024**2


async def test_exit_code_0_is_0_and_unknown_is_null(worker):
    async with worker(runtime="fake") as w:
        job = await w.wait(await w.submit("x"))
        assert job["exit_code"] == 0
        assert job["error"] is None
        async with WorkerServiceClient(w.url) as client:
            status = await client.get_job_status(pb.GetStatusRequest(job_id=job["job_id"]))
            assert status.HasField("exit_code")


@pytest.mark.parametrize(
    ("request_", "code", "says"),
    [
        ({"command": ["x"], "jobId": "../x"}, "invalid_argument", "job_id: "),
        ({"command": ["x"], "resources": {"memory": "100"}}, "invalid_argument", "resources.memory: '100' has no unit"),
        ({"command": ["x"], "resources": {"disk": "5x"}}, "invalid_argument", "resources.disk: "),
        ({"command": ["x"], "resources": {"cpu": -1}}, "invalid_argument", "resources.cpu: "),
        ({}, "invalid_argument", "command: "),
        ({"command": ["x"], "serializedEntrypoint": "eA=="}, "invalid_argument", "command: "),
        ({"command": [""]}, "invalid_argument", "command: "),
        ({"command": ["x"], "bundleSha256": "0" * 64}, "invalid_argument", "bundle_sha256: "),
        ({"command": ["x"], "bundleSha256": "zz"}, "invalid_argument", "bundle_sha256: "),
        ({"command": ["x"], "ports": ["a b"]}, "invalid_argument", "ports: "),
        ({"command": ["x"], "ports": ["a", "A"]}, "invalid_argument", "ports: "),
        ({"command": ["x"], "pythonVersion": "three"}, "invalid_argument", "python_version: "),
        ({"command": ["x"], "timeoutSeconds": -5}, "invalid_argument", "timeout_seconds: "),
        ({"command": ["x"], "environment": {"envVars": {"A=B": "x"}}}, "invalid_argument", "environment.env_vars: "),
        ({"command": ["x"], "environment": {"pipPackages": ["--index-url=x"]}}, "invalid_argument", "environment.pip_packages: "),
        ({"command": ["x"], "jobId": "taken"}, "already_exists", "'taken'"),
    ],
)  # fmt: skip
async def test_a_bad_submission_is_refused_with_its_code_and_field(worker, request_, code, says):
    async with worker(runtime="fake") as w:
        await w.submit("x", jobId="taken")
        answer = await w.http.post(RUN, json=request_)
        assert answer.json()["code"] == code
        assert says in answer.json()["message"]
        assert (await w.http.get("/api/stats")).json()["completed"] <= 1


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/jobs/none", 404, "not_found"),
        ("GET", "/api/jobs/none/logs", 404, "not_found"),
        ("GET", "/api/jobs/none/logs/stream", 404, "not_found"),
        ("POST", "/api/jobs/none/kill", 404, "not_found"),
        ("GET", "/api/nothing", 404, "not_found"),
        ("POST", "/api/stats", 405, "method_not_allowed"),
        ("GET", "/api/jobs?state=lost", 422, "invalid_argument"),
        ("GET", "/api/jobs?limit=0", 422, "invalid_argument"),
        ("GET", "/api/jobs?cursor=x", 422, "invalid_argument"),
        ("GET", "/api/jobs/a/logs?grep=(", 422, "invalid_argument"),
        ("GET", "/api/jobs/a/logs?since=yesterday", 422, "invalid_argument"),
        ("GET", "/api/jobs/a/logs?source=x", 422, "invalid_argument"),
        ("GET", "/api/jobs/a/logs/stream?grep=(", 422, "invalid_argument"),
        ("GET", "/api/jobs/a/logs/stream?cursor=x", 422, "invalid_argument"),
        ("GET", "/api/jobs/a/logs/stream?cursor=j0-ffffff-1", 422, "invalid_argument"),
        ("GET", "/api/jobs/a/files/..%2f..%2f..%2fjobs.db", 404, "not_found"),
        ("GET", "/api/jobs/a/files/%2e%2e/%2e%2e/jobs.db", 404, "not_found"),
        ("GET", "/api/bundles/0", 404, "not_found"),
    ],
)  # fmt: skip
async def test_rest_errors_are_one_sentence_with_a_code(worker, method, path, status, code):
    async with worker(runtime="fake") as w:
        await w.wait(await w.submit("x", jobId="a"))
        answer = await w.http.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"no zip", 422), (packed("../x"), 422), (packed("/x"), 422), (packed("bomb", b"\0" * 5_000_000), 422), (b"x" * 3_000_000, 413)],
    ids=["no zip", "zip slip", "absolute", "zip bomb", "too large"],
)  # fmt: skip
async def test_a_hostile_upload_is_refused_and_the_worker_goes_on(worker, body, status):
    async with worker(runtime="fake", max_bundle_size=2_000_000, max_bundle_expanded=4_000_000) as w:
        answer = await w.http.put("/api/bundles", content=body)
        assert answer.status_code == status
        chunked = await w.http.put("/api/bundles", content=_pieces(body))
        assert chunked.status_code == status
        assert (await w.wait(await w.submit("x")))["status"] == "succeeded"


async def _pieces(body):
    for at in range(0, len(body), 100_000):
        yield body[at : at + 100_000]


async def test_a_huge_request_is_refused(worker):
    async with worker(runtime="fake", max_request=100_000) as w:
        answer = await w.http.post(RUN, json={"command": ["x" * 200_000]})
        assert answer.status_code == 413
        assert (await w.http.get("/healthz")).status_code == 200


async def test_an_output_link_out_of_the_directory_is_not_followed(worker):
    async with worker() as w:
        job_id = await w.submit(
            "sh",
            "-c",
            'ln -s /etc/passwd "$FLUSTER_OUTPUT_DIR/link"; ln -s /etc "$FLUSTER_OUTPUT_DIR/dir"; echo x > "$FLUSTER_OUTPUT_DIR/ok"',
        )
        await w.wait(job_id)
        for path, status in (("link", 404), ("dir/passwd", 404), ("ok", 200)):
            assert (await w.http.get(f"/api/jobs/{job_id}/files/{path}")).status_code == status
        assert [file["path"] for file in (await w.http.get(f"/api/jobs/{job_id}/files")).json()] == ["ok"]


async def test_pages_of_jobs_and_logs_join_by_their_link_headers(worker):
    async with worker(runtime="fake", max_jobs=8) as w:
        ids = [await w.submit("x", environment={"envVars": {"FAKE_STDOUT": "a\nb\nc\nd\n"}}) for _ in range(7)]
        await w.wait(ids[-1])
        found, address = [], "/api/jobs?limit=3"
        while address:
            answer = await w.http.get(address)
            found += [job["job_id"] for job in answer.json()]
            address = answer.links.get("next", {}).get("url")
        assert found == ids[::-1]
        await w.wait(ids[0])
        lines, address = [], f"/api/jobs/{ids[0]}/logs?limit=2&source=stdout"
        while address:
            answer = await w.http.get(address)
            lines += [entry["data"] for entry in answer.json()]
            address = answer.links.get("next", {}).get("url")
        assert lines == ["a", "b", "c", "d"]
        assert (await w.http.get(f"/api/jobs/{ids[0]}/logs/download?source=stdout")).text == "a\nb\nc\nd\n"
        assert await w.lines(ids[0], source="stdout", grep="[bd]", tail=1) == ["d"]


async def test_a_stream_of_events_resumes_and_ends(worker):
    async with worker() as w:
        job_id = await w.submit("sh", "-c", "for i in 1 2 3 4 5; do echo $i; sleep 0.1; done")
        seen, last = [], ""
        async with w.http.stream("GET", f"/api/jobs/{job_id}/logs/stream?source=stdout") as answer:
            async for line in answer.aiter_lines():
                if line.startswith("id: "):
                    last = line[4:]
                if line.startswith("data: "):
                    seen.append(json.loads(line[6:])["data"])
                if len(seen) == 2:
                    break
        async with w.http.stream(
            "GET", f"/api/jobs/{job_id}/logs/stream?source=stdout", headers={"Last-Event-ID": last}
        ) as answer:
            text = "".join([part async for part in answer.aiter_text()])
        seen += [json.loads(line[6:])["data"] for line in text.split("\n") if line.startswith('data: {"')]
        assert seen == ["1", "2", "3", "4", "5"]
        assert text.rstrip().endswith("event: end\ndata: {}")
        assert (await w.job(job_id))["finished_at"] is not None


async def test_followers_end_when_the_worker_stops(worker):
    async with worker(runtime="fake") as w:
        job_id = await w.submit("x", environment={"envVars": {"FAKE_SECONDS": "600"}})
        async with w.http.stream("GET", f"/api/jobs/{job_id}/logs/stream") as answer:
            w.stop.set()
            with anyio.fail_after(10):
                text = "".join([part async for part in answer.aiter_text()])
        assert "event: end" not in text


async def test_the_openapi_document_is_valid_and_true(worker):
    async with worker() as w:
        document = (await w.http.get("/api/openapi.json")).json()
        validate(document)
        job_id = (await w.wait(await w.submit("sh", "-c", 'echo x; echo y > "$FLUSTER_OUTPUT_DIR/y"')))["job_id"]
        assert (await w.http.put("/api/bundles", content=packed("a"))).status_code == 201
        values = {"{job_id}": job_id, "{path}": "y", "{sha256}": "0" * 64}
        checked = 0
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                if method == "put":
                    continue
                address = path
                for name, value in values.items():
                    address = address.replace(name, value)
                answer = await w.http.request(method.upper(), address)
                described = operation["responses"][str(answer.status_code)]["content"]
                kind = answer.headers["content-type"].split(";")[0]
                assert kind in described, (path, answer.status_code, kind)
                if schema := described[kind].get("schema"):
                    jsonschema.validate(answer.json(), {**schema, "components": document["components"]})
                    checked += 1
        assert checked >= 8


async def test_readyz_names_what_is_wrong(worker):
    async with worker(runtime="fake", min_free_disk=2**60) as w:
        answer = await w.http.get("/readyz")
        assert answer.status_code == 503
        assert "--min-free-disk" in answer.json()["error"]


def test_buf_finds_the_protocol_clean():
    root = os.path.join(os.path.dirname(__file__), "../../..")
    done = subprocess.run(
        [f"{root}/.venv/bin/buf", "lint", f"{root}/proto"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


async def test_an_output_file_whose_name_is_no_utf_8_is_found_by_its_bytes(worker):
    async with worker() as w:
        job_id = await w.submit("sh", "-c", 'echo odd > "$FLUSTER_OUTPUT_DIR/$(printf "a\\\\377 %%")"')
        await w.wait(job_id)
        (file,) = (await w.http.get(f"/api/jobs/{job_id}/files")).json()
        assert (file["path"], file["quoted_path"]) == ("a\ufffd %", "a%FF%20%25")
        address = f"/api/jobs/{job_id}/files/{file['quoted_path']}"
        assert f'href="{address}"' in (await w.http.get(f"/job/{job_id}")).text
        found = await w.http.get(address)
        assert (found.status_code, found.text) == (200, "odd\n")
        missing = await w.http.get(f"{address}%FE")
        assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
