"""The real command in processes of its own, beside a real worker of the same command."""

import contextlib
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.polling import until

COMMAND = [str(Path(sys.executable).with_name("fluster"))]
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


class Fluster:
    """Runs `fluster ...` with state, cache and worker of this test alone."""

    def __init__(self, home, bytecode, **more):
        # Nothing of the caller's settings or proxies reaches the commands.
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("FLUSTER_", "COVERAGE_"))}
        self.home = home
        self.env = {
            **kept, "XDG_STATE_HOME": str(home / "state"), "XDG_CACHE_HOME": str(home / "cache"), "TERM": "xterm", "UV_OFFLINE": "1",
            "UV_FIND_LINKS": str(home / "wheels"), "FLUSTER_WORKER_ID": f"cli-{hashlib.sha256(os.fsencode(home)).hexdigest()[:12]}", **more,
        }  # fmt: skip
        self.env.pop("NO_COLOR", None)
        # Commands start as they do where they are installed: with their modules compiled, whatever the caller's Python does.
        self.env.pop("PYTHONDONTWRITEBYTECODE", None)
        self.env["PYTHONPYCACHEPREFIX"] = str(bytecode)

    def __call__(self, *words, env=None, seconds=60):
        done = subprocess.run(
            [*COMMAND, *map(str, words)], env={**self.env, **(env or {})}, capture_output=True, timeout=seconds, check=False
        )  # fmt: skip
        return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr.decode(errors="replace"))

    def json(self, *words):
        return json.loads(self(*words).out)

    @contextlib.contextmanager
    def started(self, *words, **popen):
        """A command that goes on; it is ended with the block."""
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **popen}
        with subprocess.Popen([*COMMAND, *map(str, words)], env=self.env, **options) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGTERM)
                    try:
                        process.wait(20)
                    except subprocess.TimeoutExpired:
                        process.kill()


@pytest.fixture(scope="session")
def bytecode(tmp_path_factory):
    return tmp_path_factory.mktemp("bytecode")


@pytest.fixture
def fluster(tmp_path, bytecode):
    """The command without a worker."""
    return Fluster(tmp_path, bytecode)


@pytest.fixture(scope="module")
def live(tmp_path_factory, bytecode):
    """The command with a worker that runs processes, two at once."""
    home = tmp_path_factory.mktemp("live")
    command = Fluster(home, bytecode)
    with (home / "worker.err").open("wb") as err:
        words = ("worker", "--port", 0, "--runtime", "process", "--max-jobs", 2)
        with command.started(*words, stdout=subprocess.DEVNULL, stderr=err) as process:
            command.url = until(lambda: address(home / "worker.err"))
            command.env["FLUSTER_URL"] = command.url
            yield command
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0


def address(path):
    """The address in the line that the worker prints once it answers."""
    for line in path.read_text().splitlines():
        if found := re.search(r"fluster worker \S+: (http://\S+)", line):
            return found[1]
    return None


@pytest.fixture
def wheel(tmp_path):
    """A package of one module, where the environments of this test come from."""
    (tmp_path / "wheels").mkdir()
    with zipfile.ZipFile(tmp_path / "wheels/tiny-1.0-py3-none-any.whl", "w") as made:
        made.writestr("tiny.py", "word = 'tiny'\n")
        made.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        made.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        made.writestr("tiny-1.0.dist-info/RECORD", "")


@pytest.fixture
def examples():
    return EXAMPLES


@pytest.fixture
def wait_until():
    return until


@pytest.fixture
def folder(tmp_path):
    """A workspace of these files."""

    def make(**files):
        place = tmp_path / "workspace"
        place.mkdir()
        for name, text in files.items():
            (place / name.replace("__", ".")).write_text(text)
        return place

    return make
