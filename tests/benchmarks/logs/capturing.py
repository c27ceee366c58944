"""A container that writes lines at full speed, and those who take them while it does: what each side's turn costs and how long the job takes."""

import resource
import subprocess
import time
from typing import NamedTuple

import anyio
import docker

from fluster.cri import LogBounds, read_counts
from fluster.runtime.docker.capture import Capture
from fluster.runtime.docker.convert import engine_time, log_config, log_file
from fluster.runtime.docker.growth import Growth
from tests.benchmarks.cpu import cpu_seconds
from tests.engine import base_image

PRODUCER = """
import os, sys
lines, at_once = map(int, sys.argv[1:])
block = b"".join(b"%099d\\n" % number for number in range(at_once))
for _ in range(lines // at_once):
    os.write(1, block)
"""
MICRO = 1e6


class Turn(NamedTuple):
    rate: float
    """Lines a second, from the start of the job until its end was known and all of its log written."""
    job: float
    """Seconds that the job took."""
    own: float
    """CPU microseconds a line of who takes them, this process or the docker command."""
    daemons: float
    """The same of dockerd, containerd and the shims."""


class Stage:
    """`lines` are what the container writes, `at_once` in one write."""

    def __init__(self, bench, lines, at_once):
        self.lines = lines // at_once * at_once
        self.at_once = at_once
        self._engine = bench.engine
        self._folder = bench.folder()
        self._client = docker.APIClient(bench.engine.url, version="auto", timeout=600)
        self._info = self._client.info()

    def alone(self, driver="local"):
        return self._turn(self._client.wait, driver)

    def by_file(self):
        return self._turn(lambda container: anyio.run(self._capture, container, True), "local")

    def by_api(self):
        return self._turn(lambda container: anyio.run(self._capture, container, False), "local")

    def docker_py(self):
        return self._turn(self._line_by_line, "json-file")

    def docker_logs(self):
        return self._turn(self._command, "json-file")

    def _turn(self, take, driver):
        """The engine's local driver is what Fluster asks for, json-file what an engine does by itself."""
        config = log_config(self._info) if driver == "local" else {"type": driver, "config": {}}
        container = self._client.create_container(
            self._engine.image, ["python3", "-c", PRODUCER, str(self.lines), str(self.at_once)],
            host_config=self._client.create_host_config(log_config=config, network_mode="none"),
        )["Id"]  # fmt: skip
        pids = self._engine.pids()
        try:
            self._client.start(container)
            daemons, own = cpu_seconds(pids), _own_seconds()
            take(container)
            ended, daemons, own = time.time(), cpu_seconds(pids) - daemons, _own_seconds() - own
            state = self._client.inspect_container(container)["State"]
        finally:
            self._client.remove_container(container, force=True)
        began, finished = (engine_time(state[name]) / 1e9 for name in ("StartedAt", "FinishedAt"))
        return Turn(
            self.lines / (ended - began), finished - began, own / self.lines * MICRO, daemons / self.lines * MICRO
        )

    async def _capture(self, container, by_file):
        path, growth = self._folder / f"{container}.log", Growth()
        file = log_file(self._info, container) if by_file else None
        capture = Capture(self._client, container, path, bounds=LogBounds(), engine_file=file, growth=growth)
        await capture.ended()
        growth.close()
        self._check(read_counts(path).lines)
        path.unlink()

    def _line_by_line(self, container):
        path = self._folder / "docker-py.log"
        lines, rest = 0, b""
        with path.open("w", encoding="utf-8") as file:
            for frame in self._client.logs(container, stream=True, follow=True, timestamps=True):
                *whole, rest = (rest + frame).split(b"\n")
                for line in whole:
                    stamp, _, text = line.decode("utf-8", "replace").partition(" ")
                    file.write(f"{stamp} stdout {text}\n")
                lines += len(whole)
        self._client.wait(container)
        self._check(lines)

    def _command(self, container):
        with (self._folder / "docker.log").open("wb") as file:
            command = [base_image.docker_cli(), "-H", self._engine.url, "logs", "-f", "-t", container]
            subprocess.run(command, stdout=file, check=True)
        self._client.wait(container)

    def _check(self, lines):
        if lines != self.lines:
            raise AssertionError(f"{lines} lines of {self.lines} were taken")


def _own_seconds():
    """This process and the commands that it ran."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def captured(bench):
    """(lines in one write) -> side -> its Turns; measured once, told by two rows."""
    if not hasattr(bench, "captured"):
        bench.captured = {at_once: _sides(bench, at_once) for at_once in (1, 60)}
    return bench.captured


def _sides(bench, at_once):
    stage = Stage(bench, bench.pick(500_000, 6_000), at_once)
    sides = {
        "file": stage.by_file, "api": stage.by_api, "docker-py": stage.docker_py, "alone": stage.alone,
        "json-file alone": lambda: stage.alone("json-file"),
    }  # fmt: skip
    if at_once == 1:
        sides["docker logs"] = stage.docker_logs
    return bench.interleave(sides)
