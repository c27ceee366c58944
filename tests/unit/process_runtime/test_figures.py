"""Sums over processes that come and go: their CPU time stays, whoever waits for them."""

import subprocess
import sys
import time

import pytest

from fluster.runtime.process.figures import ProcReader
from fluster.shim.kin import figures_below, start_ticks

BURNT = 0.3
PROGRAM = f"""
import os, signal, sys, time
def wait_for_word(): sys.stdin.readline()
if sys.argv[1] == "ignores":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
said, told = os.pipe()
if os.fork() == 0:
    while time.process_time() < {BURNT}: pass
    os.write(told, b"x")
    wait_for_word()
    os._exit(0)
os.read(said, 1)
print("burnt", flush=True)
time.sleep(600)
"""


@pytest.fixture
def family():
    """A parent, and its child that has used CPU time and ends at a word; it plays the supervisor of a job."""
    running = []

    def start(kind):
        parent = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        running.append(parent)
        assert parent.stdout.readline() == "burnt\n"
        return parent

    yield start
    for parent in running:
        parent.kill()
        parent.communicate()


def end_child(parent):
    """Until it does not live any more."""
    parent.stdin.write("\n")
    parent.stdin.flush()
    deadline = time.monotonic() + 20
    while figures_below(parent.pid).processes:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_child_that_nobody_has_waited_for_yet_keeps_its_cpu_time_and_no_memory(family):
    parent = family("waits")
    end_child(parent)
    found = figures_below(parent.pid)
    assert (found.processes, found.resident, found.anonymous) == (0, 0, 0)
    assert (found.user_ns + found.system_ns) / 1e9 >= BURNT - 0.03  # cut to ticks, in each mode


def test_cpu_time_of_a_job_never_falls_though_its_parent_waits_for_nobody(family):
    parent = family("ignores")
    reader = ProcReader(parent.pid, start_ticks(parent.pid))
    before = reader.sample()
    assert before.cpu_ns / 1e9 >= BURNT - 0.03
    seen = reader.figures()
    end_child(parent)
    assert reader.sample().cpu_ns >= before.cpu_ns
    after = reader.figures()
    assert after.cpu_user_seconds >= seen.cpu_user_seconds
    assert after.cpu_system_seconds >= seen.cpu_system_seconds
    assert after.processes == 0
