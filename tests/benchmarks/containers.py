"""An engine whose daemons work for the benchmark alone: what they burn is then the benchmark's."""

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.result import Missing
from tests.engine import base_image, daemon


class Engine:
    def __init__(self, url, image):
        self.url = url
        self.image = image
        self.environment = {"DOCKER_HOST": url}
        self.mark = url.removeprefix("unix://").removesuffix("/docker.sock").encode()

    def pids(self):
        """dockerd, its containerd and the shims: all that pays for an answer of the engine. Not the containers themselves."""
        found = set()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            daemon_process = os.path.basename(words[0]).startswith((b"dockerd", b"containerd"))
            if daemon_process and any(self.mark in word for word in words):
                found.add(int(entry.name))
        return found

    def docker(self, *arguments, check=True):
        return subprocess.run(
            [base_image.docker_cli(), *arguments],
            env={**os.environ, **self.environment}, capture_output=True, text=True, check=check,
        ).stdout  # fmt: skip


@contextmanager
def open_engine():
    """Raises Missing in one sentence."""
    try:
        with daemon.private_engine() as url:
            base_image.ensure(environment={"DOCKER_HOST": url})
            yield Engine(url, base_image.NAME)
    except RuntimeError as error:
        raise Missing(str(error)) from error
