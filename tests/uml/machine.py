"""A Linux machine as a process (user-mode-linux): its own kernel, with cgroup v2, on whatever this machine has."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

REPOSITORY = Path(__file__).parents[2]
DISK_BYTES = 4 << 30


class Inner(NamedTuple):
    """A test that was run inside."""

    name: str
    outcome: str
    """"passed", "failed", "error" or "skipped"."""
    seconds: float
    message: str


class Run(NamedTuple):
    tests: list[Inner]
    """Empty where pytest inside did not come to its end."""
    log: str
    """The end of what the machine said."""

    @property
    def summary(self):
        lines = [f"{each.outcome:7} {each.seconds:6.1f} s  {each.name}" for each in self.tests]
        return "\n".join([*lines, f"{len(self.tests)} tests, {sum(each.seconds for each in self.tests):.0f} s"])


def run_inside(root, tests, *, options=(), seconds, nice=0, stop):
    """Boot a machine, run these tests (paths below the repository) in it, and wait for its end, at most `seconds` or until the
    event `stop`: what it did until then tells why."""
    if stop.is_set():
        return Run([], "not begun")
    results = root / "results"
    results.mkdir()
    disk = root / "disk"
    with disk.open("wb") as file:
        file.truncate(DISK_BYTES)
    subprocess.run(
        ["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1", "-O", "^has_journal", str(disk)],
        check=True,
        env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"},
    )
    command = [
        "nice", "-n", str(nice), "linux", "mem=2G", "rootfstype=hostfs", "rootflags=/", "ro", f"init={Path(__file__).with_name('init')}", f"ubd0={disk}",
        "con=null", "con0=null,fd:1", "con1=null", "quiet", *options,
        f"FLUSTER_RESULTS={results}", f"FLUSTER_REPOSITORY={REPOSITORY}", f"FLUSTER_TESTS={','.join(tests)}",
        f"FLUSTER_TRUTH_JOBS={os.environ.get('FLUSTER_TRUTH_JOBS_INSIDE', '4')}",
    ]  # fmt: skip
    with (root / "console").open("wb") as console:
        machine = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, cwd=root, start_new_session=True
        )
    try:
        deadline = time.monotonic() + seconds
        while machine.poll() is None and time.monotonic() < deadline and not stop.wait(0.1):
            pass
    finally:
        _end(machine)
        disk.unlink()
    log = "".join(
        each.read_text(errors="replace")[-6000:] for each in (root / "console", results / "init.log") if each.exists()
    )
    document = results / "junit.xml"
    return Run(list(_tests(document)) if document.exists() else [], log)


def _end(machine):
    """The kernel and its threads, which are processes of the host in the session that it was started in."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if machine.poll() is None:
            machine.send_signal(number)
            deadline = time.monotonic() + 5
            while machine.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
    try:
        os.killpg(machine.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _tests(document):
    for case in ET.parse(document).getroot().iter("testcase"):  # noqa: S314 # our own pytest wrote it
        outcome, message = "passed", ""
        for tag, name in (("failure", "failed"), ("error", "error"), ("skipped", "skipped")):
            found = case.find(tag)
            if found is not None:
                outcome, message = name, f"{found.get('message')}\n{found.text}"
        place = case.get("classname").removeprefix("tests.")
        yield Inner(f"{place}::{case.get('name')}", outcome, float(case.get("time")), message)


def missing():
    """What keeps this machine from running another one; None where nothing does."""
    for program, package in (
        ("linux", "user-mode-linux"),
        ("busybox", "busybox-static"),
        ("dockerd", "docker.io"),
        ("dbus-daemon", "dbus"),
        ("busctl", "systemd"),
    ):
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
            return f"{program} is missing: apt-get install {package}"
    return None if os.geteuid() == 0 else "it takes root: the machine reads this one's files as the user that starts it"
