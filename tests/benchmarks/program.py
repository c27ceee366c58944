"""A program that is measured beside Fluster: found or Missing, started with what is its own, and ended by its pid."""

import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

from tests.benchmarks.result import Missing

PACKAGES = {
    "netdata": "netdata", "prometheus": "prometheus", "prometheus-node-exporter": "prometheus-node-exporter", "glances": "glances", "rg": "ripgrep",
    "chromium": "chromium",
}  # fmt: skip
"""Program -> Debian package."""


def find(name):
    """Raises Missing in one sentence."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin")
    if found is None:
        raise Missing(f"{name} is not on this machine; apt-get install --no-install-recommends {PACKAGES[name]}")
    return found


@contextmanager
def running(command, *, log, environment=None, patience=10):
    """The process; TERM and then KILL to it at the end, by its pid."""
    with open(log, "wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env={**os.environ, **(environment or {})}
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def read(url, *, headers=None):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=30) as answer:  # noqa: S310 # loopback
        return answer.read()


def until(url, accept=lambda _body: True, *, process, seconds=30):
    """The first body at `url` that is accepted."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            body = read(url)
        except (OSError, urllib.error.URLError):
            body = None
        if body is not None and accept(body):
            return body
        time.sleep(0.1)
    raise Missing(f"{process.args[0]} did not answer as expected at {url}")
