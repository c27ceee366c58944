import os

import pytest

from tests.absent import leave_out, needed
from tests.e2e.monitoring.story import story


@pytest.fixture(scope="package")
def told(tmp_path_factory):
    """The whole story, told once for all tests here: a worker, its jobs, two Prometheus servers, an Alertmanager."""
    needed("gcc")
    if os.geteuid() != 0:
        leave_out("the right to make cgroups is missing")
    with story(tmp_path_factory.mktemp("monitoring")) as made:
        yield made
