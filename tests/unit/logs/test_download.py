"""A download is of the log as it was when its size was told, whatever becomes of the files meanwhile."""

import os

import pytest
from starlette.requests import ClientDisconnect

from fluster.cri import CriWriter
from fluster.logs.log_file import LogFile
from fluster.logs.retention import Retention
from fluster.web.api.logs import DownloadResponse

pytestmark = pytest.mark.anyio
NOW = 1_795_453_731 * 10**9
TEXT = b"".join(b"line %d\n" % number for number in range(200))


@pytest.fixture(params=["plain", "packed"])
def written(store, request):
    with CriWriter(store.job_path("job"), segment_bytes=500) as log:
        for line in TEXT.splitlines(keepends=True):
            log.write("stdout", NOW, line)
    if request.param == "packed":
        Retention(store.root, limit_bytes=10**9, keep_seconds=10**12, grace_seconds=0).tend(())
    return store


async def test_what_is_dropped_after_its_size_was_told_still_comes(written):
    download = await written.download("job", ["stdout"])
    Retention(written.root, limit_bytes=1, keep_seconds=10**12).tend(())
    assert not list(written.directory("job").glob("job.log*"))
    assert b"".join([block async for block in download.blocks()]) == TEXT
    assert download.size == len(TEXT)
    download.close()


async def test_what_is_dropped_while_it_opens_the_files_is_told_to_be_missing(written, monkeypatch):
    hold, drops = LogFile.hold, [lambda: Retention(written.root, limit_bytes=1, keep_seconds=10**12).tend({"job"})]

    def late(file):
        if file.counts.lines and drops:
            drops.pop()()
        hold(file)

    monkeypatch.setattr(LogFile, "hold", late)
    download = await written.download("job", ["stdout"])
    text = b"".join([block async for block in download.blocks()])
    told, _, rest = text.partition(b" lines are missing here]\n")
    assert int(told.removeprefix(b"[")) + rest.count(b"\n") == 200
    assert rest
    assert TEXT.endswith(rest)
    assert download.size is None
    download.close()


@pytest.mark.parametrize("fails_at", [0, 1, 100])
async def test_its_files_are_closed_however_the_answer_ends(written, fails_at):
    before = len(os.listdir("/proc/self/fd"))
    download = await written.download("job", ["stdout"])
    assert len(os.listdir("/proc/self/fd")) > before
    sent = []

    async def send(message):
        if len(sent) == fails_at:
            raise OSError("the reader has gone")
        sent.append(message)

    answer = DownloadResponse(download, download.blocks(), 200, headers={})
    try:
        await answer({"type": "http", "asgi": {"spec_version": "2.4"}}, None, send)
    except ClientDisconnect:
        assert fails_at < 100
    else:
        assert b"".join(message.get("body", b"") for message in sent) == TEXT
    assert len(os.listdir("/proc/self/fd")) == before
