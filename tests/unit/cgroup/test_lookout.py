import os
import subprocess
import threading
import time

import pytest

from fluster.cgroup.lookout import Lookout
from tests.polling import until


@pytest.fixture
def lookout():
    lookout = Lookout()
    yield lookout
    lookout.close()
    assert "fluster-lookout" not in {each.name for each in threading.enumerate()}


def test_every_event_is_looked_at_and_once_more_a_moment_later(lookout):
    event = os.eventfd(0, os.EFD_NONBLOCK)
    looks = []
    lookout.add(event, lambda: looks.append(time.monotonic()))
    os.eventfd_write(event, 1)
    until(lambda: len(looks) >= 4)
    assert looks[-1] - looks[0] >= 0.01
    seen = len(looks)
    os.eventfd_write(event, 1)
    until(lambda: len(looks) > seen)
    lookout.remove(event)
    lookout.remove(event)
    os.close(event)


def test_the_end_of_a_process_is_looked_at_and_then_there_is_peace(lookout):
    child = subprocess.Popen(["sleep", "600"])
    descriptor = os.pidfd_open(child.pid)
    looks = []
    lookout.add(descriptor, lambda: looks.append(child.pid))
    assert looks == []
    child.kill()
    until(lambda: len(looks) >= 2)
    other, others = os.eventfd(0, os.EFD_NONBLOCK), []
    lookout.add(other, lambda: others.append(time.monotonic()))
    os.eventfd_write(other, 1)
    until(lambda: others and others[-1] - others[0] >= 0.01)
    assert len(looks) <= 4  # looks that are due at once are one
    for each in (descriptor, other):
        lookout.remove(each)
        os.close(each)
    child.wait()


def test_what_is_looked_at_closely_is_looked_at_again_and_again_until_it_is_over(lookout):
    looks = []

    def look():
        looks.append(1)

    with lookout.closely(look):
        until(lambda: len(looks) > 5)
    other = os.eventfd(0, os.EFD_NONBLOCK)
    others = []
    lookout.add(other, lambda: others.append(1))
    os.eventfd_write(other, 1)
    until(lambda: others)
    seen = len(looks)
    os.eventfd_write(other, 1)
    until(lambda: len(others) > 4)
    assert len(looks) == seen
    lookout.remove(other)
    os.close(other)


def test_a_look_that_fails_keeps_no_other_from_its_turn_and_is_told_once():
    told = []
    lookout = Lookout(told.append)
    failed, looks = [], []

    def fail():
        failed.append(1)
        raise RuntimeError("can't start new thread")

    event = os.eventfd(0, os.EFD_NONBLOCK)
    with lookout.closely(fail):
        until(lambda: len(failed) > 3)
        lookout.add(event, lambda: looks.append(1))
        os.eventfd_write(event, 1)
        until(lambda: looks)
    assert [str(error) for error in told] == ["can't start new thread"]
    lookout.remove(event)
    os.close(event)
    lookout.close()


def test_a_lookout_that_nobody_used_has_no_thread(lookout):
    assert "fluster-lookout" not in {each.name for each in threading.enumerate()}
