import os
from pathlib import Path

import pytest

from tests import absent
from tests.engine import base_image as image
from tests.engine import daemon
from tests.nvml.driver import Driver, compiled
from tests.uml.machine import missing
from tests.uml.machines import MACHINES, running

HERE = Path(__file__).parent
ORDER = ("unit", "integration", "e2e", "uml", "contract", "truth")
"""The machines of tests/uml run beside those before them, and have ended when it is measured."""


def pytest_collection_modifyitems(items):
    place = {HERE / name: number for number, name in enumerate(ORDER)}
    items.sort(key=lambda item: min([place[each] for each in item.path.parents if each in place], default=-1))


@pytest.fixture(scope="session", autouse=True)
def machines(request, tmp_path_factory):
    """The future results of tests/uml, which begin with the first test of all; nothing where none of them was chosen."""
    items = request.session.items
    chosen = [item for item in items if item.path.parent == HERE / "uml"]
    if not chosen or missing():
        yield {}
        return
    with running(tmp_path_factory.mktemp, at_once=len(MACHINES) if len(chosen) == len(items) else 1) as found:
        yield found


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="session")
def engine():
    """The address of a real Docker Engine. In CI it must be there; elsewhere its absence may be allowed, loudly."""
    with daemon.engine() if _engine_possible() else _missing() as url:
        yield url


@pytest.fixture(scope="session")
def base_image(engine):
    image.ensure(environment={"DOCKER_HOST": engine})
    return image.NAME


def _engine_possible():
    if daemon.answers(os.environ.get("DOCKER_HOST", daemon.DEFAULT)):
        return True
    return not absent.allowed()


def _missing():
    absent.leave_out("no Docker Engine answers here")


@pytest.fixture(scope="session")
def nvml_library(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("nvml"))


@pytest.fixture
def driver(nvml_library, tmp_path, monkeypatch):
    """NVML in this process; it has no GPU until the test sets some."""
    driver = Driver(nvml_library, tmp_path / "nvml")
    driver.load()
    driver.set()
    monkeypatch.setenv("STUB_NVML", str(driver.script))
    yield driver
    driver.remove()
