"""A Docker Engine for tests: the one that answers, else one that is started here, and stopped again by its pid."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

DEFAULT = "unix:///var/run/docker.sock"


def answers(url):
    """Does an engine answer a ping at this unix:// or tcp:// address?"""
    kind, _, place = url.partition("://")
    host, _, port = place.partition(":")
    family, target = (socket.AF_UNIX, place) if kind == "unix" else (socket.AF_INET, (host, int(port or 2375)))
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(5)
        try:
            connection.connect(target)
            connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
            return b" 200 " in connection.recv(64)
        except OSError:
            return False


@contextmanager
def engine():
    """The address of an engine. Raises RuntimeError in one sentence where there can be none."""
    url = os.environ.get("DOCKER_HOST", DEFAULT)
    if answers(url):
        yield url
        return
    with private_engine(own_network=False) as started:
        yield started


@contextmanager
def private_engine(*, own_network=True, bridge=False):
    """An engine of the caller's own, in a network namespace of its own unless it is the only one on the machine."""
    options = [] if not own_network or bridge else ["--bridge=none", "--iptables=false"]
    with restartable_engine(*options, own_network=own_network) as engine:
        yield engine.url


@contextmanager
def restartable_engine(*options, own_network=True):
    """A PrivateEngine that was started."""
    engine = PrivateEngine(*options, own_network=own_network)
    try:
        engine.start()
        yield engine
    finally:
        engine.stop()
        shutil.rmtree(engine.root, ignore_errors=True)


class PrivateEngine:
    """`options` are dockerd's."""

    def __init__(self, *options, own_network):
        dockerd = shutil.which("dockerd") or "/usr/sbin/dockerd"
        if os.geteuid() != 0 or not os.path.exists(dockerd):
            raise RuntimeError(
                "no Docker Engine answers and none can be started: that takes root and apt-get install docker.io"
            )
        self.root = Path(tempfile.mkdtemp(prefix="fe-", dir="/tmp"))
        self.url = f"unix://{self.root}/docker.sock"
        self._command = [
            *(["unshare", "--net"] if own_network else []),
            dockerd, "-H", self.url, "--data-root", f"{self.root}/data", "--exec-root", f"{self.root}/x",
            "--pidfile", f"{self.root}/pid", *options,
        ]  # fmt: skip
        self._process = None

    def start(self):
        env = {**os.environ, "BUILDKIT_STEP_LOG_MAX_SIZE": "1073741824", "BUILDKIT_STEP_LOG_MAX_SPEED": "1073741824"}
        with (self.root / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, env=env, start_new_session=True)
        deadline = time.monotonic() + 60
        while not answers(self.url):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"dockerd does not start: {(self.root / 'log').read_text()[-600:]}")
            time.sleep(0.05)

    def stop(self):
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)
