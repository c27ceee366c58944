"""The image itself."""

import json

import pytest

from fluster import __version__
from tests.polling import until

pytestmark = pytest.mark.docker
OPEN = ("--env=FLUSTER_INSECURE=true", "--env=FLUSTER_RUNTIME=process", "--health-interval=500ms")
LEFTOVERS = """
import json, os, shutil
found = [name for name in ("gcc", "cc", "make") if shutil.which(name)]
for place, folders, files in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(place, name) not in ("/proc", "/sys", "/dev")]
    found += [os.path.join(place, name) for name in folders if name in (".cache", "source")]
    found += [os.path.join(place, name) for name in files if name.endswith((".whl", ".tar.gz"))]
print(json.dumps(found))
"""


@pytest.fixture
def container(docker, image):
    """container(options...) -> the id of one that runs the image as it stands; removed with the test."""
    made = []

    def start(*options):
        made.append(docker("run", "--detach", *options, image).strip())
        return made[-1]

    yield start
    for each in made:
        docker("rm", "--force", "--volumes", each)


@pytest.mark.parametrize("port", [8080, 9000])
def test_it_becomes_healthy_by_its_own_check_on_any_port(docker, container, port):
    started = container(*OPEN, f"--env=FLUSTER_PORT={port}")
    until(lambda: docker.inspect(started)["State"]["Health"]["Status"] == "healthy")


def test_without_a_token_it_does_not_start(docker, container):
    started = container()
    until(lambda: docker.inspect(started)["State"]["Status"] == "exited")
    assert docker.inspect(started)["State"]["ExitCode"] == 125


def test_it_tells_what_it_is(docker, image):
    facts = docker.inspect(image)
    print(f"{facts['Size'] / 1e6:.0f} MB")
    labels = facts["Config"]["Labels"]
    assert labels["org.opencontainers.image.title"] == "fluster-worker"
    assert labels["org.opencontainers.image.version"] == __version__
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert facts["Config"]["User"] == "10001:10001"


def test_nothing_of_the_build_is_left_in_it(docker, image):
    found = docker("run", "--rm", "--entrypoint=python", "--user=0", image, "-c", LEFTOVERS)
    assert json.loads(found) == []
