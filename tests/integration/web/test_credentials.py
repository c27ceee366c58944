"""A credential in what a job asks for is used, and told nobody: not by its error, its log, its page, REST or the worker's log."""

import pytest

pytestmark = pytest.mark.anyio


async def test_a_secret_in_a_bundle_s_address_stands_nowhere(worker, caplog):
    async with worker() as w:
        job_id = await w.submit(
            "curl", "--token", "s3cret-c", bundleGcsPath="http://user:s3cret-u@127.0.0.1:1/x.zip?token=s3cret-t"
        )
        job = await w.wait(job_id)
        assert (job["end_reason"], job["bundle"]) == ("bundle", "http://***@127.0.0.1:1/x.zip?token=***")
        assert "http://***@127.0.0.1:1/x.zip" in job["error"]
        lines = await w.lines(job_id, source="build")
        assert "fetching bundle http://***@127.0.0.1:1/x.zip?token=***" in lines
        page = (await w.http.get(f"/job/{job_id}")).text
        assert "http://***@127.0.0.1:1/x.zip" in page
        jobs = (await w.http.get("/api/jobs")).text
        for text in (
            str(job),
            "\n".join(lines),
            page,
            jobs,
            (await w.http.get("/")).text,
            await w.metrics(),
            caplog.text,
        ):
            assert "s3cret" not in text
