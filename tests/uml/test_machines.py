"""Real cgroup v2 kernels: what is tested inside them counts here."""

import pytest

from tests.absent import leave_out

from .machine import missing

pytestmark = [pytest.mark.docker, pytest.mark.cgroup, pytest.mark.timeout(960)]


@pytest.fixture(autouse=True)
def possible():
    reason = missing()
    if reason:
        leave_out(reason)
    assert reason is None


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
