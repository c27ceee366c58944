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
    dockerd = shutil.which("dockerd") or "/usr/sbin/dockerd"
    if os.geteuid() != 0 or not os.path.exists(dockerd):
        raise RuntimeError(
            "no Docker Engine answers and none can be started: that takes root and apt-get install docker.io"
        )
    root = Path(tempfile.mkdtemp(prefix="fe-", dir="/tmp"))
    url = f"unix://{root}/docker.sock"
    command = [
        dockerd, "-H", url, "--data-root", f"{root}/data", "--exec-root", f"{root}/x", "--pidfile", f"{root}/pid",
        *([] if not own_network or bridge else ["--bridge=none", "--iptables=false"]),
    ]  # fmt: skip
    if own_network:
        command = ["unshare", "--net", *command]
    env = {**os.environ, "BUILDKIT_STEP_LOG_MAX_SIZE": "1073741824", "BUILDKIT_STEP_LOG_MAX_SPEED": "1073741824"}
    with (root / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=env, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while not answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"dockerd does not start: {(root / 'log').read_text()[-600:]}")
            time.sleep(0.05)
        yield url
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
        shutil.rmtree(root, ignore_errors=True)
