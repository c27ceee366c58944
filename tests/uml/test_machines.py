"""Real cgroup v2 kernels: what is tested inside them counts here."""

import os

import pytest

from .machine import missing, run_inside

pytestmark = [pytest.mark.docker, pytest.mark.cgroup, pytest.mark.timeout(660)]


@pytest.fixture
def run(tmp_path):
    reason = missing()
    if reason and os.environ.get("FLUSTER_TEST_ALLOW_MISSING"):
        pytest.skip(f"{reason}; FLUSTER_TEST_ALLOW_MISSING is set")
    assert reason is None

    def run(*tests, **more):
        done = run_inside(tmp_path, tests, **more)
        print(done.summary)
        assert done.tests, f"the tests inside did not come to their end:\n{done.log}"
        bad = [each for each in done.tests if each.outcome != "passed"]
        assert not bad, "\n".join(f"{each.outcome} {each.name}: {each.message}" for each in bad)
        return {each.name for each in done.tests}

    return run


def test_figures_and_limits_hold_on_cgroup_v2(run):
    """All controllers on the v2 tree, and root."""
    names = run("tests/truth", "tests/uml/inside/test_tree.py", options=["cgroup_no_v1=all"], seconds=600)
    assert len([name for name in names if "[docker]" in name]) > 10
    assert len([name for name in names if "[process]" in name]) > 10


def test_limits_that_a_machine_cannot_enforce_are_refused(run):
    """The v1 trees hold the controllers and nobody mounts them: the v2 tree has none, and an engine drops limits silently."""
    assert run("tests/uml/inside/test_refusals.py", options=["FLUSTER_CONTROLLERS=none"], seconds=180)


def test_an_engine_whose_containers_are_systemds_is_accounted_like_any_other(run):
    """A real systemd is process 1, and the engine uses its cgroup driver."""
    assert run("tests/uml/inside/test_systemd.py", options=["cgroup_no_v1=all", "FLUSTER_DRIVER=systemd"], seconds=300)
