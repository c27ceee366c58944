"""The addresses that runbooks ask are a worker's own."""

import re

import pytest

from tests.unit.prometheus.shipped import RUNBOOKS, commands

ASKED = sorted(
    {
        address
        for text in RUNBOOKS.values()
        for line in commands(text)
        for address in re.findall(r"\$FLUSTER_URL(/[^\s'\"?]*)", line)
    }
)


@pytest.mark.anyio
async def test_every_address_that_a_runbook_asks_answers(worker):
    assert "/metrics" in ASKED
    async with worker(runtime="fake") as w:
        job_id = await w.submit("x")
        await w.wait(job_id)
        for address in ASKED:
            answer = await w.http.get(address.replace("$JOB", job_id))
            assert answer.status_code == 200, address
