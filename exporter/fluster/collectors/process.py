"""process_* and python_info of the worker itself: a scrape asks the kernel two or three things about this process, and waits for none."""

from __future__ import annotations

import os
import platform
import resource
import time
from typing import Final

import psutil

from fluster.collectors.families import Families

__all__ = ["ProcessCollector"]

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class ProcessCollector:
    """Of this process."""

    def __init__(self) -> None:
        self._statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        self._started = psutil.Process().create_time()
        major, minor, patch = platform.python_version_tuple()
        self._python = (platform.python_implementation(), major, minor, patch, platform.python_version())

    def collect(self) -> Families:
        families = Families(
            (
                "process_cpu_seconds_total",
                "process_virtual_memory_bytes",
                "process_resident_memory_bytes",
                "process_start_time_seconds",
                "process_open_fds",
                "process_max_fds",
                "python_info",
            )
        )
        add = families.add
        virtual, resident, *_ = map(int, os.pread(self._statm, 256, 0).split())
        add("process_cpu_seconds_total", time.process_time())
        add("process_virtual_memory_bytes", virtual * _PAGE)
        add("process_resident_memory_bytes", resident * _PAGE)
        add("process_start_time_seconds", self._started)
        add("process_open_fds", _open_fds())
        add("process_max_fds", resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        add("python_info", 1, *self._python)
        return families

    def close(self) -> None:
        """Idempotent."""
        if self._statm >= 0:
            os.close(self._statm)
            self._statm = -1


def _open_fds() -> int:
    # Linux 6.2 and later tell how many there are as the size of the directory: listing them was most of what a scrape cost.
    return os.stat("/proc/self/fd").st_size or len(os.listdir("/proc/self/fd")) - 1  # noqa: PTH116, PTH208 # as cheap as can be
