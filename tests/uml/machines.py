"""The machines of this suite. They wait most of their time, so they run beside other tests where there are any."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from .machine import run_inside

MACHINES = {
    # All controllers on the v2 tree.
    "v2": (["tests/truth", "tests/uml/inside/test_tree.py"], ["cgroup_no_v1=all"]),
    # A real systemd is process 1, and the engine uses its cgroup driver.
    "systemd": (["tests/uml/inside/test_systemd.py"], ["cgroup_no_v1=all", "FLUSTER_DRIVER=systemd"]),
    # A v1 tree has the controllers and nobody mounts it: the v2 tree has none, and an engine drops limits silently.
    "bare": (["tests/uml/inside/test_refusals.py"], ["FLUSTER_CONTROLLERS=none"]),
}
NICE = {"v2": -10}
"""What it measures is wrong while its CPU is taken away."""


@contextmanager
def running(folder, *, at_once):
    """The future Run of each; `folder(name)` makes a directory. Leaving ends those that still run."""
    stop = threading.Event()
    with ThreadPoolExecutor(at_once) as threads:
        try:
            yield {
                name: threads.submit(
                    run_inside, folder(name), tests, options=options, seconds=900, nice=NICE.get(name, 0), stop=stop
                )
                for name, (tests, options) in MACHINES.items()
            }
        finally:
            stop.set()
