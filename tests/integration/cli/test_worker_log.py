"""The log of a worker process: JSON lines whatever happens, and nobody has to read it."""

import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from datetime import datetime

import pytest

TROUBLE = """
import asyncio, gc, logging, sys, threading, warnings
import fluster.app
from fluster.cli.main import main

serve = fluster.app.serve

class Careless:
    def __del__(self):
        raise KeyError("in a destructor")

def fail(*_):
    raise LookupError("nobody caught this")

async def troubled(settings, ready):
    def on_ready(url):
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
        warnings.warn("old ways")
        logging.getLogger("urllib3").warning("two\\nlines")
        Careless()
        asyncio.get_running_loop().call_soon(fail, "an argument")
        print("a print", file=sys.stderr)
        sys.stderr.write("\\x1b[2Jand another\\n")
        ready(url)
    await serve(settings, on_ready)

fluster.app.serve = troubled
main(sys.argv[1:])
"""


def full_pipe():
    """Nobody reads it, and there is no room in it."""
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(write, False)
    os.write(write, b"x" * 4096)
    os.set_blocking(write, True)
    return write, [read, write]


def closed_pipe():
    read, write = os.pipe()
    os.close(read)
    return write, [write]


def full_disk():
    full = os.open("/dev/full", os.O_WRONLY)
    return full, [full]


def answers(url):
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=5) as answer:  # noqa: S310 # the worker of this test
            return answer.status == 200
    except OSError:
        return False


@contextmanager
def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.parametrize("stderr", [full_pipe, closed_pipe, full_disk])
def test_a_worker_whose_log_goes_nowhere_answers_runs_jobs_and_ends_in_time(fluster, wait_until, stderr):
    descriptor, opened = stderr()
    with free_port() as port:
        url = f"http://127.0.0.1:{port}"
    words = ("worker", "--port", port, "--runtime", "process", "--log-level", "DEBUG")
    try:
        with fluster.started(*words, stdout=subprocess.DEVNULL, stderr=descriptor) as process:
            wait_until(lambda: answers(url))
            job = fluster("submit", "--worker", url, "--", "sh", "-c", "echo out; exit 7").out.decode().strip()
            assert fluster("wait", "--worker", url, job).code == 7
            fluster("submit", "--worker", url, "--", "sleep", "3600")
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
    finally:
        for each in opened:
            os.close(each)


def test_without_a_terminal_every_line_is_json_whatever_happens(fluster, wait_until):
    log = fluster.home / "err"
    with log.open("wb") as err:
        with subprocess.Popen(
            [sys.executable, "-c", TROUBLE, "worker", "--port", "0", "--runtime", "process"],
            env=fluster.env, stdout=subprocess.DEVNULL, stderr=err,
        ) as process:  # fmt: skip
            try:
                url = wait_until(lambda: re.search(r"http://\S+", log.read_text()))[0]
                job = fluster(
                    "submit", "--worker", url, "--name", "n\u202e", "--env", "TOKEN=a-long-secret",
                    "--", "sh", "-c", "echo said-by-the-job; exit 7",
                )  # fmt: skip
                assert fluster("wait", "--worker", url, job.out.decode().strip()).code == 7
            finally:
                process.send_signal(signal.SIGTERM)
                code = process.wait(20)
    assert code == 0
    text = log.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        assert list(line)[:3] == ["time", "level", "message"]
        assert set(line) <= {"time", "level", "message", "job_id", "phase", "error", "traceback"}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["time"])
        assert datetime.fromisoformat(line["time"])
    for said in ("old ways", "two\nlines", "a print", "\x1b[2Jand another"):
        assert any(said in line["message"] for line in lines)
    assert [line.get("error") for line in lines].count("LookupError: nobody caught this") == 2
    assert "KeyError: 'in a destructor'" in [line.get("error") for line in lines]
    assert all(line.isprintable() for line in text.splitlines())
    assert "said-by-the-job" not in text
    assert "a-long-secret" not in text
    mine = [line for line in lines if line.get("job_id") == job.out.decode().strip()]
    assert [line["phase"] for line in mine] == ["pending", "building", "running", "ended"]


def test_a_worker_that_was_given_no_stderr_runs(fluster, wait_until):
    with free_port() as port:
        url = f"http://127.0.0.1:{port}"
    words = [sys.executable, "-m", "fluster", "worker", "--port", str(port), "--runtime", "process"]
    with subprocess.Popen(["sh", "-c", 'exec "$@" 2>&-', "sh", *words], env=fluster.env) as process:
        try:
            wait_until(lambda: answers(url))
            assert fluster("ps", "--worker", url).code == 0
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(20)
    assert code == 0
