"""Waiting for other processes and threads: by looking again and again, with a deadline."""

import time

__all__ = ["until"]


def until(found, *, seconds=60, pace=0.02, why="waited in vain"):
    """What `found` gives, once that is true. `why`, a text or what gives one, is said when the time is over."""
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, why() if callable(why) else why
        time.sleep(pace)
    return value
