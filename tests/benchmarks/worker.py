"""A real worker process with a state directory of its own, and what a benchmark asks of it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx2 as httpx

RUN = "/fluster.v1.WorkerService/RunJob"


class Worker:
    def __init__(self, process, url, worker_id):
        self.process = process
        self.url = url
        self.worker_id = worker_id

    @property
    def pid(self):
        return self.process.pid

    def pids(self):
        """The worker alone: supervisor processes of jobs are not its children's figures to pay."""
        return {self.process.pid}

    def ask(self, path, body=None, headers=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **(headers or {})}
        answer = httpx.request(
            "GET" if data is None else "POST", self.url + path, content=data, headers=headers, timeout=120
        )
        return answer.raise_for_status().content

    def submit(self, *command, **more):
        return json.loads(self.ask(RUN, {"command": list(command), **more}))["jobId"]

    def job(self, job_id):
        return json.loads(self.ask(f"/api/jobs/{job_id}"))

    def until(self, job_ids, *states, seconds=300):
        """The jobs once they are in one of these states; raises where one ends otherwise."""
        deadline = time.monotonic() + seconds
        found = {}
        for job_id in job_ids:
            while (job := self.job(job_id))["status"] not in states:
                if job["finished_at"] or time.monotonic() > deadline:
                    raise RuntimeError(f"{job_id} is {job['status']}: {job['error']}")
                time.sleep(0.02)
            found[job_id] = job
        return found


@contextmanager
def started(folder, *, runtime, worker_id, environment=None, **settings):
    """`settings` are options of `fluster worker`."""
    options = {
        "runtime": runtime, "worker-id": worker_id, "port": 0, "state-dir": folder / "state", "cache-dir": folder / "cache",
        "log-level": "WARNING", **{name.replace("_", "-"): value for name, value in settings.items()},
    }  # fmt: skip
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    with (folder / "worker.err").open("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "fluster", "worker", *words],
            stdout=subprocess.DEVNULL, stderr=errors, env={**os.environ, **(environment or {})},
        )  # fmt: skip
        try:
            yield Worker(process, _address(process, folder / "worker.err"), worker_id)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(90)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _address(process, errors):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = re.search(r"http://127\.0\.0\.1:\d+", errors.read_text())
        if found:
            return found[0]
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise RuntimeError(f"the worker does not start: {errors.read_text()[-600:]}")
