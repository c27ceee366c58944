"""The log as a file: whole while the job writes, in ranges once it is over."""

import pytest

pytestmark = pytest.mark.anyio
TEXT = b"a\nb\xff\nc\nno newline"


async def test_a_finished_log_is_given_in_ranges(worker):
    async with worker() as w:
        job_id = await w.submit("printf", TEXT.decode("latin-1").replace("\xff", "\\377"))
        await w.wait(job_id)
        address = f"/api/jobs/{job_id}/logs/download?source=stdout"
        whole = await w.http.get(address)
        assert whole.content == TEXT
        assert whole.headers["Content-Length"] == str(len(TEXT))
        assert whole.headers["Accept-Ranges"] == "bytes"
        assert whole.headers["Content-Disposition"] == f'attachment; filename="{job_id}-stdout.log"'
        for asked, found in (
            ("0-2", TEXT[:3]),
            ("4-", TEXT[4:]),
            ("-5", TEXT[-5:]),
            ("2-900", TEXT[2:]),
            ("-900", TEXT),
        ):
            part = await w.http.get(address, headers={"Range": f"bytes={asked}"})
            assert (part.status_code, part.content) == (206, found)
            start = len(TEXT) - len(found) if found != TEXT[:3] else 0
            assert part.headers["Content-Range"] == f"bytes {start}-{start + len(found) - 1}/{len(TEXT)}"
        for asked in ("bytes=0-1,4-5", "lines=1-2", "bytes=x", "bytes=-", "bytes=5-2"):
            assert (await w.http.get(address, headers={"Range": asked})).content == TEXT
        beyond = await w.http.get(address, headers={"Range": f"bytes={len(TEXT)}-"})
        assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(TEXT)}")


async def test_a_log_that_grows_has_no_ranges(worker):
    async with worker() as w:
        job_id = await w.submit("sh", "-c", "echo one; exec sleep 600")
        address = f"/api/jobs/{job_id}/logs/download?source=stdout"
        while (answer := await w.http.get(address, headers={"Range": "bytes=0-0"})).content != b"one\n":
            assert answer.content == b""
        assert answer.status_code == 200
        assert "Content-Length" not in answer.headers
