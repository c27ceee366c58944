import threading

import anyio
import pytest

from fluster.job import Build, EnvironmentRequest, Figures, JobRequest
from fluster.web.pages.fact_sheets import FactSheets
from fluster.web.pages.rendering import Rendering
from tests.unit.pages.jobs import job

pytestmark = pytest.mark.anyio
VARIABLES = {"PLAIN": "seen", "LONG": "x" * 5000, "API_KEY": "hunter2"}
REQUEST = JobRequest(name="n", command=("run", "--token=hunter2"), environment=EnvironmentRequest(env_vars=VARIABLES))


@pytest.fixture
def masked(monkeypatch):
    """The threads that masked a command or a value."""
    calls = []
    for name in ("masked_command", "masked_value"):
        real = getattr(__import__("fluster.web.pages.facts", fromlist=[name]), name)
        monkeypatch.setattr(
            f"fluster.web.pages.facts.{name}",
            lambda *values, real=real: calls.append(threading.current_thread()) or real(*values),
        )
    return calls


@pytest.fixture
def sheets():
    return FactSheets(Rendering("w", "v1"), anyio.CapacityLimiter(2))


async def test_a_sheet_is_made_once_for_all_readers_and_beside_the_event_loop(sheets, masked):
    found = []

    async def read():
        found.append(await sheets.get(job(request=REQUEST)))

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(read)
    once = len(masked)
    assert once == 3
    assert threading.main_thread() not in masked
    assert all(sheet is found[0] for sheet in found)
    later = job(request=REQUEST, figures={"processes": 3}, status_message="x")
    assert later.figures == Figures(processes=3)
    assert await sheets.get(later) is found[0]
    assert len(masked) == once


async def test_it_is_made_again_when_something_in_it_changed(sheets, masked):
    first = await sheets.get(job(request=REQUEST))
    built = await sheets.get(job(request=REQUEST, build=Build(image_tag="py3-abc", from_cache=True, bundle_sha256="")))
    assert "py3-abc" not in first.part
    assert "py3-abc" in built.part


async def test_jobs_are_bounded_and_the_one_read_last_stays(sheets, masked):
    first, others = job(request=REQUEST), [job(request=REQUEST).evolve(id=f"o{number}") for number in range(40)]
    sheet = await sheets.get(first)
    for other in others:
        await sheets.get(other)
        assert await sheets.get(first) is sheet
    assert len(sheets._sheets) == 32


async def test_what_it_shows(sheets):
    sheet = await sheets.get(job(request=REQUEST))
    assert sheet.command == "run '--token=***'"
    assert "<code>run &#39;--token=***&#39;</code>" in sheet.part
    assert "<code>LONG</code>" in sheet.part
    assert "hidden: too long to show" in sheet.part
    assert "<code>seen</code>" in sheet.part
    assert "hunter2" not in sheet.part
