"""From a job's page to its dashboard, and back to the time at which the job ran."""

import html
import re
from urllib.parse import parse_qs, urlsplit

import pytest

pytestmark = pytest.mark.anyio


async def link(w, job_id):
    text = (await w.http.get(f"/job/{job_id}")).text
    found = re.search(r'href="([^"]*/d/fluster-job[^"]*)"', text)
    return html.unescape(found[1]) if found else None


async def test_a_jobs_page_leads_to_its_dashboard_at_its_time(worker):
    async with worker(runtime="fake", grafana_url="https://grafana.example/base/", worker_id="w-1") as w:
        job_id = await w.submit("x")
        job = await w.wait(job_id)
        address = urlsplit(await link(w, job_id))
        assert address.geturl().startswith("https://grafana.example/base/d/fluster-job?")
        asked = {name: value for name, (value,) in parse_qs(address.query).items()}
        assert (asked["var-worker"], asked["var-job_id"]) == ("w-1", job_id)
        assert int(asked["from"]) < job["submitted_at"] < job["finished_at"] < int(asked["to"])


async def test_the_dashboard_of_a_job_that_lives_goes_on_to_now(worker):
    async with worker(runtime="fake", grafana_url="http://localhost:3000") as w:
        job_id = await w.submit("x", environment={"envVars": {"FAKE_SECONDS": "60"}})
        assert parse_qs(urlsplit(await link(w, job_id)).query)["to"] == ["now"]


async def test_without_a_grafana_there_is_no_link(worker):
    async with worker(runtime="fake") as w:
        assert await link(w, await w.submit("x")) is None
