"""What the pages are told while they are open, and what they weigh."""

import json
import re
from contextlib import asynccontextmanager

import anyio
import httpx2 as httpx
import pytest

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def events(w, path):
    """An iterator of (name, value) over the stream at `path`."""

    async def read(answer):
        name = ""
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                yield name, json.loads(line[6:])

    with anyio.fail_after(60):
        async with w.http.stream("GET", path) as answer:
            assert answer.status_code == 200, await answer.aread()
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield read(answer)


async def until(found, wanted):
    """The value of the first event that `wanted(name, value)` holds for."""
    async for name, value in found:
        if wanted(name, value):
            return value
    raise AssertionError("the stream ended")


def text(html):
    return re.sub(r"<[^>]*>", " ", html)


async def test_the_list_is_told_in_parts_what_changes(worker):
    async with worker(runtime="fake") as w:
        first = await w.submit("x", name="before")
        await w.wait(first)
        async with events(w, "/events") as found:
            name, hello = await anext(found)
            page = (await w.http.get("/")).text
            assert (name, f'data-assets="{hello["assets"]}"' in page) == ("hello", True)
            assert await anext(found) == ("order", [f"row-{first}"])
            name, parts = await anext(found)
            assert set(parts) == {"title", "machine", "states", "empty", "paging", f"row-{first}"}
            for html in parts.values():  # the same words in both ways, where time does not stand in them
                assert html in page or "machine" in html
            second = await w.submit("x", name="after", environment={"envVars": {"FAKE_SECONDS": "60"}})
            assert await until(found, lambda name, _: name == "order") == [f"row-{second}", f"row-{first}"]
            name, parts = await anext(found)
            assert "after" in parts[f"row-{second}"]
            assert f"row-{first}" not in parts
            await w.http.post(f"/api/jobs/{second}/kill")
            await until(found, lambda _, value: "killed on request" in value.get(f"row-{second}", ""))


async def test_the_list_is_told_only_of_what_its_filter_lets_through(worker):
    async with worker(runtime="fake") as w:
        seen, other = await w.submit("x", name="seen"), await w.submit("x", name="other")
        await w.wait(seen)
        await w.wait(other)
        async with events(w, "/events?text=SEE&state=succeeded") as found:
            await anext(found)
            assert await anext(found) == ("order", [f"row-{seen}"])
        async with events(w, "/events?state=failed") as found:
            await anext(found)
            assert await anext(found) == ("order", [])


async def test_a_job_page_is_told_of_its_log_and_of_its_end(worker):
    async with worker(runtime="process") as w:
        job_id = await w.submit("sh", "-c", "echo one; sleep 1; echo two >&2; exit 3")
        async with events(w, f"/job/{job_id}/events") as found:
            assert (await anext(found))[0] == "hello"
            parts = await until(found, lambda name, _: name == "parts")
            assert set(parts) == {"title", "actions", "headline", "phases", "figures", "facts", "files"}
            assert 'id="kill"' in parts["actions"]
            log = await until(found, lambda name, value: name == "log" and value["lines"]["stdout"])
            assert log["complete"] is False
            assert set(log) == {"lines", "retired", "dropped", "complete"}
            parts = await until(found, lambda _, value: "exit 3" in value.get("headline", ""))
            assert "Failed: exit 3" in text(parts["headline"])
            assert "two" in text(parts["headline"])
            assert 'id="kill"' not in parts["actions"]
            log = await until(found, lambda name, value: name == "log" and value["complete"])
            assert (log["lines"]["stdout"], log["lines"]["stderr"], log["dropped"]) == (1, 1, 0)
            assert await until(found, lambda name, _: name == "end") == {"forgotten": False}
            assert [each async for each in found] == []


async def test_a_page_that_comes_back_is_told_everything_again(worker):
    async with worker(runtime="fake") as w:
        job_id = await w.submit("x")
        await w.wait(job_id)
        told = []
        for _ in range(2):
            async with events(w, f"/job/{job_id}/events") as found:
                told.append([each async for each in found if each[0] != "hello"])
        assert told[0] == told[1]
        assert [name for name, _ in told[0]] == ["parts", "log", "end"]


async def test_a_failed_build_shows_the_last_lines_of_its_log(worker):
    async with worker() as w:
        job_id = await w.submit("true", environment={"pipPackages": ["/no/such/package-1.0.whl"]})
        job = await w.wait(job_id)
        assert job["end_reason"] == "build"
        page = (await w.http.get(f"/job/{job_id}")).text
        headline = re.search(r'<section id="headline".*?</section>', page, re.DOTALL)[0]
        assert "Failed: build failed" in headline
        numbers = [int(number) for number in re.findall(r'href="#L(\d+)"', headline)]
        entries = (await w.http.get(f"/api/jobs/{job_id}/logs", params={"source": "build", "tail": 6})).json()
        assert numbers == [entry["sequence"] + 1 for entry in entries]


async def test_an_unknown_job_has_no_events_and_a_stopping_worker_ends_them(worker):
    async with worker(runtime="fake") as w:
        missing = await w.http.get("/job/none/events")
        assert missing.status_code == 404
        async with events(w, "/events") as found:
            await anext(found)
            w.stop.set()
            async for name, _ in found:
                assert name in {"order", "parts"}


async def test_the_first_page_of_a_thousand_jobs_is_small(worker):
    async with worker(runtime="fake", max_jobs=64) as w:
        limits = {"memory": "4g", "cpu": "2"}
        for number in range(0, 1000, 50):
            async with anyio.create_task_group() as tasks:
                for place in range(50):
                    tasks.start_soon(_submit, w, f"train-model-{number + place:04}", limits)
        page = await w.http.get("/")
        assert page.text.count('<tr id="row-') == 50
        size = len(page.content)
        loaded = set(re.findall(r'"(/static/[^"]+)"', page.text))
        while loaded:
            address = loaded.pop()
            file = await w.http.get(address)
            assert "immutable" in file.headers["cache-control"]
            size += len(file.content)
            imported = re.findall(r'^import .* from "\./([^"]+)"', file.text, re.MULTILINE)
            folder = address.rpartition("/")[0]
            loaded |= {f"{folder}/{name}" for name in imported}
        print(f"the first page weighs {size} bytes, {len(page.content)} of them HTML")
        assert size < 60_000


async def _submit(w, name, limits):
    environment = {"envVars": {"FAKE_SECONDS": "0"}}
    await w.submit("python", "train.py", name=name, resources=limits, environment=environment)


async def test_static_files_of_another_version_are_not_kept(worker):
    async with worker(runtime="fake") as w:
        old = await w.http.get("/static/0000/live.js")
        assert (old.status_code, old.headers["cache-control"]) == (200, "no-cache")
        assert old.headers["content-type"].startswith("text/javascript")
        with pytest.raises(httpx.HTTPStatusError):
            (await w.http.get("/static/0000/routes.py")).raise_for_status()
