"""No moment of a job's life is without its series: not its end, which takes a while, nor the one between two looks of a scrape."""

import re

import anyio
import pytest

from fluster.collectors import Format
from fluster.job import JobRequest
from fluster.job.request import EnvironmentRequest

pytestmark = pytest.mark.anyio


def request(**script):
    env = {f"FAKE_{key}": str(value) for key, value in script.items()}
    return JobRequest(name="n", command=("x",), environment=EnvironmentRequest(env_vars=env))


def series(exposition):
    """Values by family and further labels of the one job."""
    text = exposition.render(Format.TEXT).decode()
    return {f"{name}{more}": value for name, more, value in re.findall(r'(\w+)\{job_id="j"(.*)\} (\S+)', text)}


@pytest.fixture
async def opened(services):
    async with services(runtime="fake", stats_interval=0.05) as opened:
        yield opened


async def seen(opened):
    with anyio.fail_after(20):
        while not (job := opened.manager.get("j")).figures.sampled_at_ns or not job.logs.lines.get("stdout"):
            await anyio.sleep(0.01)


async def test_the_figures_stand_while_the_end_of_the_job_takes_its_time(opened, monkeypatch):
    removing, go = anyio.Event(), anyio.Event()
    remove = opened.runtime.remove

    async def slow(execution):
        removing.set()
        await go.wait()
        await remove(execution)

    monkeypatch.setattr(opened.runtime, "remove", slow)
    await opened.manager.submit(request(SECONDS=1, STDOUT="a\nb\nc\n", MEMORY="10m", CPU_SECONDS="0.5"), "j")
    await seen(opened)
    with anyio.fail_after(20):
        await removing.wait()
    ending = series(opened.exposition)
    assert ending['fluster_job_state,state="running"'] == "1"
    assert ending['fluster_job_cpu_seconds_total,mode="user"'] == "0.375"
    assert ending["fluster_job_memory_usage_bytes"] == str(10 * 1024**2)
    assert opened.manager.get("j").figures.cpu_seconds == pytest.approx(0.5)
    go.set()
    await opened.manager.wait("j")
    ended = series(opened.exposition)
    assert ended['fluster_job_state,state="succeeded"'] == "1"
    assert ended['fluster_job_cpu_seconds_total,mode="user"'] == "0.375"


async def test_a_job_that_ends_between_the_two_looks_of_a_scrape_keeps_its_counts(opened, monkeypatch):
    await opened.manager.submit(request(SECONDS=600, STDOUT="a\nb\nc\n"), "j")
    await seen(opened)
    manager, table = opened.manager, opened.manager._table
    live, finished = manager._live["j"], table.finished

    def ends(**limits):
        found = finished(**limits)
        del manager._live["j"]  # what the event loop does meanwhile
        return found

    monkeypatch.setattr(table, "finished", ends)
    assert series(opened.exposition)['fluster_job_log_lines_total,source="stdout"'] == "3"
    monkeypatch.undo()
    manager._live["j"] = live
