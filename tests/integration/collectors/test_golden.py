"""/metrics of a scripted run, whole: what changes here changes for every dashboard and alert.

UPDATE_GOLDEN=1 writes tests/golden/metrics.txt anew; look at the difference before it is committed.
"""

import os
import re
import time
from pathlib import Path

import anyio
import pytest

from fluster.collectors import Format
from fluster.job import JobRequest, JobState, Limits
from fluster.job.request import EnvironmentRequest

pytestmark = pytest.mark.anyio

GOLDEN = Path(__file__).parents[2] / "golden" / "metrics.txt"
MIB = 1024 * 1024
ELSEWHERE = re.compile(r"^(# \w+ )?(process_|python_info)")
MACHINES = re.compile(
    r"^(fluster_(filesystem_\w+_bytes|collector_duration_seconds|job_cpu_cores|job_cpu_peak_cores)[^ ]* ).*"
)


class Clock:
    """Stands still in the future but for a second at each transition: no timeout comes, and the same run has the same times everywhere."""

    def __init__(self):
        self.now_ns = 2_000_000_000 * 10**9

    def __call__(self):
        return self.now_ns

    def advance(self, *_):
        self.now_ns += 10**9


def request(name, limits=None, **script):
    env = {f"FAKE_{key}": str(value) for key, value in script.items()}
    return JobRequest(
        name=name,
        command=("x",),
        limits=limits or Limits(),
        environment=EnvironmentRequest(env_vars=env),
        timeout_seconds=3600,
    )


def as_on_any_machine(text):
    lines = (MACHINES.sub(r"\g<1>*", line) for line in text.splitlines(keepends=False) if not ELSEWHERE.match(line))
    text = "".join(f"{line}\n" for line in lines)
    text = re.sub(r"(fluster_build_info)\{[^}]*\}", r'\1{version="*",python="*"}', text)
    return re.sub(r'worker_id="[^"]*"', 'worker_id="w"', text)


def known(job, now_ns):
    """All that is looked at now and then was looked at after the last transition."""
    return job.figures.sampled_at_ns == now_ns and job.figures.disk_bytes is not None and job.logs.lines


async def test_the_exposition_of_a_scripted_run_is_the_golden_one(services, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(time, "time_ns", clock)
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)
    async with services(runtime="fake", max_jobs=1, stats_interval=0.05) as opened:
        manager = opened.manager
        manager.listeners.append(clock.advance)
        limits = Limits(memory_bytes=64 * MIB, cpu_millicores=1500, max_processes=100, disk_bytes=1024 * MIB)
        for job_id, each in {
            "good": request("a good one", limits, STDOUT="one\ntwo\n", MEMORY_PEAK="50m", CPU_SECONDS="0.5"),
            "failing": request('with "quotes"\\', STDERR="no\n", EXIT_CODE=3),
            "oom": request("greedy", limits, OOM=1),
            "refused": request("nothing to start", FAIL="start"),
            "vanished": request("lost", FAIL="vanish"),
        }.items():
            await manager.submit(each, job_id)
            await manager.wait(job_id)
        await manager.submit(request("goes on", limits, SECONDS=600, MEMORY="20m", PROCESSES=4, STDOUT="x\n"), "live")
        with anyio.fail_after(20):
            while manager.get("live").state is not JobState.RUNNING:
                await anyio.sleep(0.01)
        await manager.submit(request("waits"), "waiting")
        await manager.submit(request("killed before it began"), "killed")
        await manager.kill("killed")
        assert manager.get("waiting").state is JobState.PENDING
        with anyio.fail_after(20):
            while not known(manager.get("live"), clock.now_ns):
                await anyio.sleep(0.01)
        opened.logs.tend(())
        opened.exposition.refresh()
        body = opened.exposition.render(Format.TEXT)
    text = as_on_any_machine(body.decode())
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text(), "see the difference; UPDATE_GOLDEN=1 accepts it"
    done = await anyio.run_process(["promtool", "check", "metrics"], input=body, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
