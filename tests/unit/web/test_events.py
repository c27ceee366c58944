import anyio
import anyio.lowlevel
import pytest

from fluster.errors import ResourceExhaustedError
from fluster.web import events
from fluster.web.events import EventStream
from fluster.web.followers import Followers

pytestmark = pytest.mark.anyio


class Reader:
    """The other end of an answer: it collects what is sent, and leaves when told."""

    def __init__(self):
        self.parts, self.leaves, self.got = [], anyio.Event(), anyio.Event()

    async def receive(self):
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        if message["type"] == "http.response.body":
            self.parts.append(message["body"])
            self.got.set()

    @property
    def text(self):
        return b"".join(self.parts).decode()


async def run(stream, reader):
    with anyio.fail_after(5):
        await stream({"type": "http"}, reader.receive, reader.send)


async def test_events_are_sent_and_the_place_is_left_at_the_end():
    closed = []

    async def two():
        yield b"id: 1\ndata: a\n\n"
        yield b"event: end\ndata: {}\n\n"

    reader = Reader()
    await run(EventStream(two(), on_close=lambda: closed.append(1)), reader)
    assert reader.text == ": follows\n\nid: 1\ndata: a\n\nevent: end\ndata: {}\n\n"
    assert closed == [1]


async def test_a_reader_that_leaves_ends_the_source_at_once():
    ended, closed = [], []

    async def endless():
        try:
            yield b"data: a\n\n"
            await anyio.sleep_forever()
        finally:
            ended.append(1)

    reader = Reader()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run, EventStream(endless(), on_close=lambda: closed.append(1)), reader)
        with anyio.fail_after(5):
            while "data: a" not in reader.text:
                await anyio.lowlevel.checkpoint()
        reader.leaves.set()
    assert (ended, closed) == ([1], [1])


async def test_a_quiet_stream_has_a_heartbeat(monkeypatch):
    monkeypatch.setattr(events, "_HEARTBEAT_SECONDS", 0.001)

    async def quiet():
        with anyio.fail_after(5):
            while reader.text.count(": still here") < 2:
                await anyio.lowlevel.checkpoint()
        yield b"data: a\n\n"

    reader = Reader()
    await run(EventStream(quiet(), on_close=lambda: None), reader)
    assert reader.text.endswith("data: a\n\n")


async def test_a_source_that_fails_leaves_its_place():
    closed = []

    async def failing():
        yield b"data: a\n\n"
        raise RuntimeError("gone")

    with pytest.raises(ExceptionGroup):
        await run(EventStream(failing(), on_close=lambda: closed.append(1)), Reader())
    assert closed == [1]


async def test_followers_are_bounded_and_make_room_again():
    followers = Followers(2)
    with followers.one():
        followers.join()
        with pytest.raises(ResourceExhaustedError, match="2 followers are there already"):
            followers.join()
        followers.leave()
        with followers.one():
            assert followers.count == 2
    assert followers.count == 0
