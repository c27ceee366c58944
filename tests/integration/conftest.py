import socket
from contextlib import asynccontextmanager

import anyio
import httpx2 as httpx
import pytest

from fluster.app import open_worker, serve
from fluster.config import Settings

RUN = "/fluster.v1.WorkerService/RunJob"


class Worker:
    """A real worker on a free port of loopback, in this event loop, and an HTTP client to it."""

    def __init__(self, url, http, settings, stop):
        self.url, self.http, self.settings, self.stop = url, http, settings, stop

    async def submit(self, *command, **more):
        answer = await self.http.post(RUN, json={"command": list(command), **more})
        assert answer.status_code == 200, answer.text
        return answer.json()["jobId"]

    async def job(self, job_id):
        return (await self.http.get(f"/api/jobs/{job_id}")).json()

    async def wait(self, job_id, seconds=60):
        with anyio.fail_after(seconds):
            while (job := await self.job(job_id))["finished_at"] is None:
                await anyio.sleep(0.02)
        return job

    async def until(self, job_id, *states, seconds=60):
        with anyio.fail_after(seconds):
            while (job := await self.job(job_id))["status"] not in states:
                await anyio.sleep(0.01)
        return job

    async def lines(self, job_id, **params):
        return [entry["data"] for entry in (await self.http.get(f"/api/jobs/{job_id}/logs", params=params)).json()]

    async def metrics(self):
        return (await self.http.get("/metrics")).text


@pytest.fixture
def settings(tmp_path):
    number = socket.socket()
    number.bind(("127.0.0.1", 0))
    worker_id = f"test-{number.getsockname()[1]}"
    number.close()

    def make(**changes):
        return Settings(
            **{
                "state_dir": tmp_path / "state", "cache_dir": tmp_path / "cache", "port": 0, "runtime": "process", "max_jobs": 4,
                "worker_id": worker_id, "stats_interval": 0.2, **changes,
            }
        )  # fmt: skip

    return make


@pytest.fixture
def worker(settings):
    @asynccontextmanager
    async def start(**changes):
        chosen = settings(**changes)
        stop, ready, urls = anyio.Event(), anyio.Event(), []

        def on_ready(url):
            urls.append(url)
            ready.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: serve(chosen, on_ready, stop=stop))
            with anyio.fail_after(30):
                await ready.wait()
            headers = {"Authorization": f"Bearer {chosen.read_token()}"} if chosen.read_token() else {}
            async with httpx.AsyncClient(base_url=urls[0], headers=headers, timeout=30) as http:
                try:
                    yield Worker(urls[0], http, chosen, stop)
                finally:
                    stop.set()

    return start


@pytest.fixture
def services(settings):
    @asynccontextmanager
    async def start(**changes):
        async with open_worker(settings(**changes)) as opened:
            yield opened

    return start


@pytest.fixture(params=["process", pytest.param("docker", marks=pytest.mark.docker)])
def runtime(request, monkeypatch):
    """Settings of a worker with either real runtime."""
    if request.param == "process":
        return {"runtime": "process"}
    monkeypatch.setenv("DOCKER_HOST", request.getfixturevalue("engine"))
    return {"runtime": "docker", "base_image": request.getfixturevalue("base_image")}
