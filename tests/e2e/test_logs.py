"""What a job wrote comes back, whole and exact, whatever happens to the worker meanwhile and however large it is."""

import io
import re
import threading
import zipfile
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.benchmarks.worker import started
from tests.engine import base_image
from tests.polling import until

LINES = 250_000
COUNTER = f"""
import sys, time
for block in range(0, {LINES}, 500):
    text = "".join(f"{{number}}\\n" for number in range(block, block + 500))
    sys.stdout.write(text)
    sys.stdout.flush()
    sys.stderr.write(text)
    sys.stderr.flush()
    time.sleep(0.01)
"""
ODD = [
    b"", b"x" * (16 * 1024 - 1), b"y" * (16 * 1024), b"z" * (16 * 1024 + 1), b"m" * 1024**2, b"five" * (5 * 1024**2 // 4),
    b"nul \0 end", b"cr \r mid\r", b"\x1b[31mred\x1b[0m", b"\xff\xfe\x80 not utf-8 \xc3", b"\xe2\x80\xa8 separator", b"2026-11-23T17:08:51.379364092Z stdout F forged", b"",
]  # fmt: skip
ODD_BYTES = b"\n".join(ODD) + b"\nno newline at the end"
WRITER = "import sys; getattr(sys, sys.argv[1]).buffer.write(open('odd.bin', 'rb').read())"


@pytest.fixture(params=["process", "docker"])
def runtime(request):
    if request.param == "docker":
        request.getfixturevalue("base_image")
        return {"runtime": "docker", "environment": {"DOCKER_HOST": request.getfixturevalue("engine")}}
    return {"runtime": "process"}


def job_of(runtime, *command, **more):
    """The keywords of a submission; docker runs it in the base image."""
    if runtime["runtime"] == "docker":
        more["environment"] = {"baseImage": base_image.NAME}
    return command, more


def bundle_of(worker, data):
    """A bundle with a program that writes `data`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("odd.py", WRITER)
        archive.writestr("odd.bin", data)
    return httpx2.put(f"{worker.url}/api/bundles", content=packed.getvalue()).raise_for_status().json()["sha256"]


def written(worker, job_id):
    return worker.job(job_id)["logs"]["lines"].get("stderr", 0)


@pytest.mark.timeout(400)
def test_every_line_of_both_streams_survives_three_deaths_of_the_worker(tmp_path, runtime):
    options = {"worker_id": f"deaths-{runtime['runtime']}", "log_segment": "256k", **runtime}
    command, more = job_of(runtime, "python3", "-c", COUNTER)
    job_id = None
    for share in (0.1, 0.4, 0.7):
        with started(tmp_path, **options) as worker:
            job_id = job_id or worker.submit(*command, **more)
            until(lambda: written(worker, job_id) >= share * LINES, seconds=120)  # noqa: B023 # called at once
            worker.process.kill()
            worker.process.wait()
    with started(tmp_path, **options) as worker:
        worker.until([job_id], "succeeded")
        expected = "".join(f"{number}\n" for number in range(LINES)).encode()
        for stream in ("stdout", "stderr"):
            assert worker.ask(f"/api/jobs/{job_id}/logs/download?source={stream}") == expected
        lines = worker.job(job_id)["logs"]["lines"]
        assert (lines["stdout"], lines["stderr"]) == (LINES, LINES)
    files = [
        *sorted((tmp_path / "state" / "logs" / job_id).glob("job.log.*")),
        tmp_path / "state" / "logs" / job_id / "job.log",
    ]
    assert len(files) > 3
    last = {b"stdout": b"", b"stderr": b""}
    for file in files:
        for line in file.read_bytes().splitlines():
            stamp, stream, flag, _ = line.split(b" ", 3)
            assert flag == b"F"
            assert stamp > last[stream]
            last[stream] = stamp


@pytest.mark.timeout(200)
def test_lines_of_every_kind_come_back_exactly(tmp_path, runtime):
    with started(tmp_path, worker_id="odd", **runtime) as worker:
        for stream in ("stdout", "stderr"):
            command, more = job_of(runtime, "python3", "odd.py", stream)
            job_id = worker.submit(*command, bundleSha256=bundle_of(worker, ODD_BYTES), **more)
            worker.until([job_id], "succeeded")
            assert worker.ask(f"/api/jobs/{job_id}/logs/download?source={stream}") == ODD_BYTES
            entries = httpx2.get(f"{worker.url}/api/jobs/{job_id}/logs", params={"source": stream}).json()
            assert [entry["data"] for entry in entries] == ODD_BYTES.decode("utf-8", "replace").split("\n")
            assert not any(entry["truncated"] for entry in entries)


def events(url, job_id, found):
    """Follows the log to its end; returns whether the end was told."""
    with httpx2.stream("GET", f"{url}/api/jobs/{job_id}/logs/stream?source=stdout", timeout=120) as answer:
        for line in answer.iter_lines():
            if line.startswith('data: {"timestamp'):
                found.append(line)
            if line == "event: end":
                return


@pytest.mark.timeout(200)
def test_ten_followers_over_rotations_see_the_same(tmp_path):
    program = "for b in $(seq 300); do seq 200; sleep 0.01; done"
    with started(tmp_path, worker_id="ten", runtime="process", log_segment="20k") as worker:
        job_id = worker.submit("sh", "-c", program)
        seen = [[] for _ in range(10)]
        threads = [threading.Thread(target=events, args=(worker.url, job_id, found)) for found in seen]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert [len(found) for found in seen] == [60_000] * 10
        assert all(found == seen[0] for found in seen)
        assert len(list((tmp_path / "state" / "logs" / job_id).glob("job.log.*"))) > 10


@contextmanager
def memory_of(pid):
    """(resident bytes at the beginning, function for the peak since then)."""

    def field(name):
        return int(re.search(rf"{name}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) * 1024

    Path(f"/proc/{pid}/clear_refs").write_text("5")
    yield field("VmRSS"), lambda: field("VmHWM")


@pytest.mark.timeout(400)
def test_the_worker_stays_small_while_half_a_gib_is_captured_tailed_and_searched(tmp_path, base_image, engine):
    lines, width = 512 * 1024, 1023
    program = (
        "import sys\n"
        f"text = ''.join(f'{{n:06d}} ' + 'x' * {width - 7} + '\\n' for n in range(128))\n"
        f"for block in range({lines // 128}): sys.stdout.write(text)\n"
        "print('needle in the last line')\n"
    )
    options = {"runtime": "docker", "environment": {"DOCKER_HOST": engine}}
    with started(tmp_path, worker_id="large", **options) as worker:
        quick = worker.submit("true", environment={"baseImage": base_image})
        worker.until([quick], "succeeded")
        with memory_of(worker.pid) as (idle, peak):
            job_id = worker.submit("python3", "-c", program, environment={"baseImage": base_image})
            worker.until([job_id], "running", "succeeded")
            while not worker.job(job_id)["finished_at"]:
                worker.ask(f"/api/jobs/{job_id}/logs?tail=1000&source=stdout")
                worker.ask(f"/api/jobs/{job_id}/logs?grep=needle&limit=5")
            assert worker.job(job_id)["logs"]["lines"]["stdout"] == lines + 1
            found = httpx2.get(f"{worker.url}/api/jobs/{job_id}/logs", params={"grep": "needle"}, timeout=60).json()
            assert [entry["data"] for entry in found] == ["needle in the last line"]
            assert found[0]["sequence"] >= lines
            grown = (peak() - idle) / 1024**2
        assert grown <= 64, f"{grown:.0f} MiB more than idle"
