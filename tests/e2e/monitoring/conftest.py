import os
import shutil

import pytest

from tests.e2e.monitoring.story import story


@pytest.fixture(scope="package")
def told(tmp_path_factory):
    """The whole story, told once for all tests here: a worker, its jobs, two Prometheus servers, an Alertmanager."""
    lacking = [*([] if shutil.which("gcc") else ["gcc"]), *([] if os.geteuid() == 0 else ["the right to make cgroups"])]
    if lacking and os.environ.get("FLUSTER_TEST_ALLOW_MISSING"):
        pytest.skip(f"{' and '.join(lacking)} is missing, and FLUSTER_TEST_ALLOW_MISSING is set")
    with story(tmp_path_factory.mktemp("monitoring")) as made:
        yield made
