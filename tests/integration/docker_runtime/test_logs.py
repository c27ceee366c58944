"""Logs on a real engine, by its file and by its API: exact to the byte, whatever is written and whoever is restarted."""

import subprocess
import sys
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from fluster.cri import parse_line, read_counts
from fluster.runtime.docker import DockerRuntime
from fluster.runtime.docker import runtime as runtime_module
from fluster.runtime.docker.client import cut
from fluster.runtime.docker.convert import log_file
from fluster.runtime.docker.file_way import FileWay
from fluster.runtime.docker.stream_way import StreamWay
from tests.contract.conftest import WORKER, Bench, until
from tests.engine import base_image as image
from tests.engine import daemon
from tests.integration.docker_runtime import capture_process

pytestmark = [pytest.mark.anyio, pytest.mark.docker]
MIB = 1024 * 1024
KIB16 = 16 * 1024
NOWHERE = Path("/nonexistent/container.log")
WAYS = {"file": FileWay, "api": StreamWay}


def use(way, monkeypatch):
    monkeypatch.setattr(runtime_module, "log_file", log_file if way == "file" else lambda *_: NOWHERE)


@pytest.fixture(params=list(WAYS))
def way(request, monkeypatch):
    use(request.param, monkeypatch)
    return request.param


def entries_of(bench):
    path = bench.root / "logs/job/job.log"
    closed = sorted(path.parent.glob("job.log.0*"))
    for each in (*closed, path):
        yield from map(parse_line, each.read_bytes().split(b"\n")[:-1] if each.exists() else ())


def lines_of(bench, stream="stdout"):
    """The lines as the job wrote them: parts joined again."""
    held, lines = b"", []
    for line in entries_of(bench):
        if line.stream == stream:
            held += line.data
            if not line.partial:
                lines.append(held)
                held = b""
    return [*lines, held] if held else lines


async def test_lines_of_every_size_and_any_bytes_come_back(bench, way):
    sizes = [0, 1, KIB16 - 1, KIB16, KIB16 + 1, 2 * KIB16, 3 * KIB16 + 7, MIB - 1, MIB, MIB + 1, 5 * MIB, 0]
    bytes_of_all_kinds = bytes(range(10)) + bytes(range(11, 256)) + b"\xc3\xa9 \xff\xfe \x1b[31m\r"
    program = (
        "import sys\nout = sys.stdout.buffer\n"
        f"for size in {sizes}: out.write(bytes(33 + i % 90 for i in range(size)) + b'\\n')\n"
        f"out.write({bytes_of_all_kinds!r} + b'\\n')\n"
        "out.write(b'\\x06stdoutabc\\nno newline')\n"
    )
    async with bench.started(["python3", "-c", program]) as execution:
        result = await bench.runtime.wait(execution)
        assert isinstance(bench.runtime._captures["job"]._way, WAYS[way])
    expected = [bytes(33 + i % 90 for i in range(size)) for size in sizes]
    expected += [bytes_of_all_kinds, b"\x06stdoutabc", b"no newline"]
    assert lines_of(bench) == expected
    assert result.logs.lines["stdout"] == len(expected)
    assert result.logs.bytes["stdout"] == sum(len(line) + 1 for line in expected) - 1


async def test_the_next_worker_takes_the_log_up_in_the_middle_of_a_line_by_whatever_way(bench, way, monkeypatch):
    program = (
        "import time\n"
        "for i in range(300):\n"
        f"    print(i, end='x' * {KIB16 + 5}, flush=True)\n"
        "    time.sleep(0.005)\n"
        "    print('y', flush=True)\n"
        "print('no newline', end='')\n"
    )
    spec = bench.spec(["python3", "-c", program])
    handle = (await bench.runtime.start(spec)).handle
    held = 0
    for goal, following in ((30, way), (100, "api"), (150, "file"), (200, "api"), (230, way)):
        await until(lambda goal=goal: spec.log_path.exists() and spec.log_path.read_bytes().count(b"\n") > goal)
        writer = bench.runtime._captures["job"]._way._sink.log
        await bench.runtime.close()
        held += writer.held("stdout")
        use(following, monkeypatch)
        bench.runtime = bench.make()
        await bench.runtime.open()
        found = await bench.runtime.recover({"job": spec}, {"job": handle})
    result = await bench.runtime.wait(found["job"])
    assert lines_of(bench) == [*(b"%d" % n + b"x" * (KIB16 + 5) + b"y" for n in range(300)), b"no newline"]
    assert not any(line.partial for line in entries_of(bench))
    assert result.exit_code == 0
    assert held > 0
    await bench.runtime.remove(found["job"])


NUMBERS = """
import os, threading
def flood(fd):
    for i in range(0, {count}, 100): os.write(fd, b''.join(b'%d\\n' % n for n in range(i, i + 100)))
threads = [threading.Thread(target=flood, args=[fd]) for fd in (1, 2)]
[each.start() for each in threads]; [each.join() for each in threads]
"""


def check_numbers(bench, count):
    """All lines of both streams, in order, their times too."""
    following, latest = {"stdout": 0, "stderr": 0}, {"stdout": 0, "stderr": 0}
    for now, stream, partial, data in entries_of(bench):
        assert not partial
        assert int(data) == following[stream]
        assert now >= latest[stream]
        following[stream] += 1
        latest[stream] = now
    assert following == {"stdout": count, "stderr": count}
    counts = read_counts(bench.root / "logs/job/job.log")
    assert (counts.stdout_lines, counts.stderr_lines, counts.lost) == (count, count, 0)


async def test_a_million_lines_of_each_stream_survive_three_kills_of_the_worker(bench, way, engine, sdk):
    count = 1_000_000 if way == "file" else 200_000
    spec = bench.spec(["python3", "-c", NUMBERS.format(count=count)])
    handle = (await bench.runtime.start(spec)).handle
    await bench.runtime.close()
    engine_file = log_file(sdk.info(), handle) if way == "file" else NOWHERE
    command = [sys.executable, capture_process.__file__, engine, handle, str(spec.log_path), str(engine_file)]

    def lines():
        counts = read_counts(spec.log_path)
        return counts.lines if counts else 0

    for part in (0.2, 0.5, 0.8):
        process = subprocess.Popen(command)
        await until(lambda part=part: lines() > 2 * count * part, 60)
        process.kill()
        process.wait()
    assert lines() < 2 * count
    await anyio.run_process(command)
    check_numbers(bench, count)
    bench.runtime = bench.make()
    await bench.runtime.open()
    found = await bench.runtime.recover({"job": spec}, {"job": handle})
    result = await bench.runtime.wait(found["job"])
    assert (result.exit_code, result.logs.lines) == (0, {"stdout": count, "stderr": count})
    await bench.runtime.remove(found["job"])


async def test_a_stream_that_breaks_off_is_taken_up_where_it_stopped(bench, monkeypatch):
    use("api", monkeypatch)
    count, cuts = 100_000, 0
    async with bench.started(["python3", "-c", NUMBERS.format(count=count)]) as execution:
        capture = bench.runtime._captures["job"]
        while cuts < 5 and not capture._over.is_set():
            response = capture._way._response if capture._way else None
            counts = read_counts(bench.root / "logs/job/job.log")
            if response is not None and counts is not None and counts.lines > cuts * 30_000:
                await anyio.to_thread.run_sync(cut, response)
                cuts += 1
            await anyio.sleep(0.01)
        await bench.runtime.wait(execution)
    assert cuts >= 3
    check_numbers(bench, count)


async def test_a_container_of_an_earlier_worker_with_the_engines_default_driver_is_taken_by_the_api(bench, monkeypatch):
    monkeypatch.setattr(runtime_module, "log_config", lambda _engine: {"type": "json-file", "config": {}})
    async with bench.started("echo one; printf two") as execution:
        await bench.runtime.wait(execution)
        assert isinstance(bench.runtime._captures["job"]._way, StreamWay)
    assert lines_of(bench) == [b"one", b"two"]


async def test_a_restart_of_the_engine_loses_nothing(way, tmp_path):
    with daemon.restartable_engine("--live-restore") as engine:
        image.ensure(environment={"DOCKER_HOST": engine.url})
        bench = Bench("docker", lambda: DockerRuntime(WORKER, base_url=engine.url), tmp_path, image.NAME)
        await bench.runtime.open()
        program = "import time\nfor i in range(2000):\n    print(i, flush=True)\n    time.sleep(0.001)"
        execution = await bench.runtime.start(bench.spec(["python3", "-c", program]))
        await until(lambda: len(lines_of(bench)) > 500)
        await anyio.to_thread.run_sync(engine.stop)
        await anyio.to_thread.run_sync(engine.start)
        result = await bench.runtime.wait(execution)
        assert lines_of(bench) == [b"%d" % n for n in range(2000)]
        assert result.exit_code == 0
        await bench.runtime.remove(execution)
        await bench.runtime.close()
