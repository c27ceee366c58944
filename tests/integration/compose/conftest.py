"""The image from exporter/Dockerfile on a real engine, started as docker-compose.yml and docker-compose.engine.yml say."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.engine.base_image import docker_cli
from tests.polling import until

ROOT = Path(__file__).parents[3]
IMAGE = "fluster-worker:test"
_INDEX = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")
"""Where this machine gets its packages from, if it says so."""


def compose_config(*files, **environment):
    """What docker-compose makes of the files, with nothing of the caller's settings."""
    names = [word for name in files for word in ("-f", str(ROOT / name))]
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        ["docker-compose", *names, "config"], env={**kept, **environment}, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return yaml.safe_load(done.stdout)


class Docker:
    def __init__(self, url):
        self.url = url
        self._env = {**os.environ, "DOCKER_HOST": url, "DOCKER_BUILDKIT": "1"}

    def __call__(self, *words, seconds=120, **run):
        command = words if words[0] == "docker-compose" else (docker_cli(), *words)
        done = subprocess.run(
            command, env=self._env, capture_output=True, text=True, timeout=seconds, check=False, **run
        )  # fmt: skip
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
        return done.stdout

    def inspect(self, name):
        return json.loads(self("inspect", name))[0]


@pytest.fixture(scope="session")
def docker(engine):
    return Docker(engine)


@pytest.fixture(scope="session")
def image(docker, base_image, tmp_path_factory):
    """Built from this machine's Python, with packages from where `make` has them, too."""
    context = tmp_path_factory.mktemp("base")
    uv = Path(shutil.which("uv", path=f"{ROOT}/.venv/bin:{os.environ['PATH']}"))
    shutil.copy(uv, context / "uv")
    certificates = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    shutil.copy(certificates, context / "certificates.crt")
    (context / "Dockerfile").write_text(
        f"FROM {base_image}\nCOPY uv /usr/local/bin/uv\nCOPY certificates.crt /etc/ssl/certs/ca-certificates.crt\n"
        "ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt\n"
    )
    base = "fluster-worker-base:test"
    docker("build", "--quiet", "--tag", base, str(context))
    arguments = [
        word for name in _INDEX if name in os.environ for word in ("--build-arg", f"{name}={os.environ[name]}")
    ]
    docker(
        "build", "--network=host", "--build-arg", f"BASE_IMAGE={base}", *arguments,
        "--file", str(ROOT / "exporter/Dockerfile"), "--tag", IMAGE, str(ROOT), seconds=300,
    )  # fmt: skip
    yield IMAGE
    docker("rmi", "--force", IMAGE, base)


class Worker:
    """The worker of a compose file, alone. Asked within its container: no port of this machine is needed."""

    def __init__(self, docker, container, project):
        self.docker, self.container, self.project = docker, container, project

    def run(self, *command):
        return self.docker("exec", self.container, *command)

    def fluster(self, *words):
        return self.run("fluster", *words).strip()

    def job(self, *words):
        """Submit it, wait for its end, show it."""
        job_id = self.fluster("submit", *words)
        self.fluster("wait", job_id)
        return json.loads(self.fluster("show", "--json", job_id))

    def get(self, path, host="127.0.0.1:8080"):
        program = (
            "import sys, urllib.request as web; "
            "print(web.urlopen(web.Request('http://127.0.0.1:8080' + sys.argv[1], headers={'Host': sys.argv[2]})).read().decode())"
        )
        return self.run("python", "-c", program, path, host)

    def healthy(self):
        """Waits until its own health check says so."""
        until(lambda: self.state["Health"]["Status"] == "healthy")

    @property
    def state(self):
        return self.docker.inspect(self.container)["State"]


@pytest.fixture(scope="module")
def start(docker, image, tmp_path_factory):
    """start(file, ..., VARIABLE=...): the service `worker` of these files, healthy."""
    started = []

    def up(*files, **environment):
        config = compose_config(*files, **environment)
        service = config["services"]["worker"]
        del service["build"], service["ports"]  # others may have 8080 here
        service["image"] = image
        service["healthcheck"]["interval"] = "500ms"
        file = tmp_path_factory.mktemp("compose") / "docker-compose.yml"
        file.write_text(yaml.safe_dump(config))
        project = f"fluster-test-{os.getpid()}-{len(started)}"
        compose = ("docker-compose", "--project-name", project, "--file", str(file))
        started.append(compose)
        docker(*compose, "up", "--detach", "--no-deps", "worker")
        worker = Worker(docker, docker(*compose, "ps", "--quiet", "worker").strip(), project)
        worker.healthy()
        return worker

    yield up
    for compose in started:
        docker(*compose, "down", "--volumes", "--timeout", "20")
