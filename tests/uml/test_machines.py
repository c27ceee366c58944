"""Real cgroup v2 kernels: what is tested inside them counts here."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from .machine import missing, run_inside

pytestmark = [pytest.mark.docker, pytest.mark.cgroup, pytest.mark.timeout(660)]

MACHINES = {
    # All controllers on the v2 tree.
    "v2": (["tests/truth", "tests/uml/inside/test_tree.py"], ["cgroup_no_v1=all"]),
    # A real systemd is process 1, and the engine uses its cgroup driver.
    "systemd": (["tests/uml/inside/test_systemd.py"], ["cgroup_no_v1=all", "FLUSTER_DRIVER=systemd"]),
    # A v1 tree has the controllers and nobody mounts it: the v2 tree has none, and an engine drops limits silently.
    "bare": (["tests/uml/inside/test_refusals.py"], ["FLUSTER_CONTROLLERS=none"]),
}


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    """All of them at the same time: each has one CPU. The one with the most to measure is not kept waiting for it."""
    reason = missing()
    if reason and os.environ.get("FLUSTER_TEST_ALLOW_MISSING"):
        pytest.skip(f"{reason}; FLUSTER_TEST_ALLOW_MISSING is set")
    assert reason is None
    with ThreadPoolExecutor(len(MACHINES)) as threads:
        yield {
            name: threads.submit(
                run_inside,
                tmp_path_factory.mktemp(name),
                tests,
                options=options,
                seconds=600,
                nice=-5 if name == "v2" else 0,
            )
            for name, (tests, options) in MACHINES.items()
        }


def passed(run):
    """The names of the tests inside, all of which passed."""
    print(run.summary)
    assert run.tests, f"the tests inside did not come to their end:\n{run.log}"
    bad = [each for each in run.tests if each.outcome != "passed"]
    assert not bad, "\n".join(f"{each.outcome} {each.name}: {each.message}" for each in bad)
    return {each.name for each in run.tests}


def test_limits_that_a_machine_cannot_enforce_are_refused(machines):
    assert passed(machines["bare"].result())


def test_an_engine_whose_containers_are_systemds_is_accounted_like_any_other(machines):
    assert passed(machines["systemd"].result())


def test_figures_and_limits_hold_on_cgroup_v2(machines):
    names = passed(machines["v2"].result())
    assert len([name for name in names if "[docker" in name]) > 10
    assert len([name for name in names if "[process" in name]) > 10
