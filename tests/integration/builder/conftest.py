"""Wheels of our own and a bench for builders: no index is needed."""

import zipfile
from pathlib import Path

import anyio
import pytest

from fluster.builder import BuildRequest
from fluster.cri import CriWriter, parse_line
from fluster.job import EnvironmentRequest


def write_wheel(folder, name, *, version="1.0", requires=()):
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {each}\n" for each in requires)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"name = {name!r}\n")
        wheel.writestr(f"{info}/METADATA", metadata)
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def wheels(tmp_path):
    folder = tmp_path / "wheels"
    folder.mkdir()
    write_wheel(folder, "alpha", requires=("beta",))
    write_wheel(folder, "beta")
    write_wheel(folder, "gamma")
    return folder


@pytest.fixture
def bundle(tmp_path):
    """bundle("name", {"main.py": "..."}) makes a folder with these files."""

    def make(name, files):
        root = tmp_path / name
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        return root

    return make


class Log(CriWriter):
    """A build log that can be read back."""

    def __init__(self, path: Path):
        super().__init__(path)
        self.path = path

    @property
    def entries(self):
        return [parse_line(line) for line in self.path.read_bytes().splitlines(keepends=True)]

    @property
    def text(self):
        return self.path.read_text() if self.path.exists() else ""


@pytest.fixture
def build(tmp_path):
    """await build(builder, source, extras=(...)) -> (what was built, its log)."""
    logs = []

    async def run(builder, source, *, log=None, needs_python=False, **environment):
        log = log or new_log()
        request = BuildRequest(source=source, environment=EnvironmentRequest(**environment), needs_python=needs_python)
        return await builder.build(request, log), log

    def new_log():
        logs.append(Log(tmp_path / f"build-{len(logs)}.log"))
        return logs[-1]

    run.log = new_log
    yield run
    for log in logs:
        log.close()


@pytest.fixture
def running():
    """running(word): the command lines on this machine that hold it. The engine of the tests is local."""

    def find(word):
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = path.read_bytes()
            except OSError:
                continue
            if word.encode() in line:
                found.append(line)
        return found

    return find


@pytest.fixture
def until():
    """await until(lambda: ...): polls, with a deadline."""

    async def poll(condition, seconds=60):
        with anyio.fail_after(seconds):
            while not condition():  # it waits for other processes
                await anyio.sleep(0.02)

    return poll
