"""A real worker with the jobs of this proof: its settings, its restarts, and what a client asks of it."""

import json
import os
import signal
from contextlib import ExitStack, contextmanager

import httpx2

from tests.benchmarks.worker import started
from tests.e2e.monitoring import jobs
from tests.e2e.monitoring.servers import free_port
from tests.nvml.driver import Driver, compiled
from tests.polling import until

__all__ = ["WORKER", "Scene", "play", "scene"]

WORKER = "proof.1"
"""With a character that means something in regular expressions: names are to be escaped on their way into queries."""
SETTINGS = {
    "max_jobs": len(jobs.LIVE | jobs.FLOOD | jobs.BLIND), "queue_limit": len(jobs.WAITING), "stats_interval": "200ms", "max_job_log": "200k",
    "log_segment": "10k", "min_free_disk": "1m",
}  # fmt: skip


class Scene:
    """One worker on one port, whose process may come and go. `ids` are the jobs' by the names that jobs.py gives them."""

    def __init__(self, folder, nvml):
        self._folder = folder
        self._running = ExitStack()
        self._nvml = nvml
        self._port = free_port()
        self._work = folder / "state" / "work"
        wheels = folder / "wheels"
        jobs.wheel(wheels)
        self._environment = {
            "UV_OFFLINE": "1", "UV_FIND_LINKS": str(wheels), "STUB_NVML": str(nvml.script),
            "LD_LIBRARY_PATH": os.pathsep.join(filter(None, [str(nvml.library.parent), os.environ.get("LD_LIBRARY_PATH")])),
        }  # fmt: skip
        self.address = f"127.0.0.1:{self._port}"
        self.worker = None
        self.ids = {}

    def start(self):
        """The worker's process; jobs of an earlier one are adopted."""
        self.worker = self._running.enter_context(
            started(
                self._folder, runtime="process", worker_id=WORKER, environment=self._environment, port=self._port,
                drain="leave", **SETTINGS,
            )
        )  # fmt: skip

    def stop(self, how=signal.SIGTERM):
        """The worker's process alone: the jobs go on."""
        self.worker.process.send_signal(how)
        self.worker.process.wait(60)
        self._running.close()

    def submit(self, table):
        for name, request in table.items():
            self.ids[name] = self._submit(name, **request)

    def _submit(self, name, *, command, bundle=None, **more):
        if bundle is not None:
            content = jobs.bundle(jobs.BUNDLES[bundle])
            answer = httpx2.put(f"{self.worker.url}/api/bundles", content=content).raise_for_status()
            more["bundleSha256"] = answer.json()["sha256"]
        return self.worker.submit(*command, jobId=f"{name}.v1", name=name, **more)

    def refuse(self):
        """One job more than the queue takes."""
        with_one_more = {"command": ["true"]}
        answer = httpx2.post(f"{self.worker.url}/fluster.v1.WorkerService/RunJob", json=with_one_more)
        assert answer.json()["code"] == "resource_exhausted", answer.text

    def job(self, name):
        return self.worker.job(self.ids[name])

    def until(self, name, done, *, seconds=60):
        return until(lambda: (job := self.job(name)) and done(job) and job, seconds=seconds, why=lambda: self.job(name))

    def kill(self, *names):
        for name in names:
            httpx2.post(f"{self.worker.url}/api/jobs/{self.ids[name]}/kill?grace_ms=0").raise_for_status()

    def end(self, *names):
        self.kill(*names)
        for name in names:
            self.until(name, lambda job: job["finished_at"])

    def bereave(self, name):
        """The job loses its supervisor process: the infrastructure's fault, as the worker sees it."""
        os.kill(json.loads((self._work / self.ids[name] / "control" / "start.json").read_text())["pid"], signal.SIGKILL)

    def blind(self):
        """The second GPU answers no more."""
        self._nvml.set(b=(0, 0, "fails"))

    def leave_behind(self):
        """What a worker of yesterday did not take away. To be called while none runs."""
        control = self._work / "of-yesterday" / "control"
        control.mkdir(parents=True)
        (control / "start.json").write_text("{}")

    def visit(self):
        """What people do: so that the figures of pages and of refusals are there."""
        for path in ("/", "/api/stats", "/api/jobs?limit=5", "/api/jobs/nobody", f"/job/{self.ids['calm']}"):
            httpx2.get(self.worker.url + path)

    def close(self):
        """Nothing goes on: the jobs would outlive a worker that leaves them."""
        if self.worker is None or self.worker.process.poll() is not None:
            self.start()
        self.end(*(name for name in self.ids if not self.job(name)["finished_at"]))
        self.stop()


@contextmanager
def scene(folder):
    """A scene with a worker that runs, and a driver of two GPUs that are none."""
    nvml = Driver(compiled(folder), folder / "gpus")
    nvml.set(a=(0, 0), b=(0, 0))
    made = Scene(folder, nvml)
    try:
        made.start()
        yield made
    finally:
        made.close()


def play(made):
    """The jobs come, and what they are to show is there, or is on its way, when this returns."""
    made.submit(jobs.ENDED)
    for name in ("unwanted", "bereft"):
        made.until(name, lambda job: job["status"] == "running")
    made.kill("unwanted")
    made.bereave("bereft")
    for name in jobs.ENDED:
        made.until(name, lambda job: job["finished_at"])
    made.submit(jobs.LIVE)
    made.until("idle-gpu", lambda job: job["status"] == "running")  # so that the first GPU is its
    made.submit(jobs.FLOOD | jobs.BLIND)
    made.until("blind-gpu", lambda job: job["status"] == "running")
    made.blind()
    made.submit(jobs.WAITING)
    made.refuse()
    made.visit()
