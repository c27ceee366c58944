"""Into a network namespace and out again: a thread of its own enters, opens what is to be read there, and ends."""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from pathlib import Path
from typing import Final

from fluster.netns.reader import NetworkReader

__all__ = ["open_network"]

_CLONE_NEWNET: Final = 0x40000000
_RTMGRP_LINK: Final = 1


def open_network(path: str) -> NetworkReader | None:
    """A reader of the namespace at `path` (/proc/<pid>/ns/net, or where an engine mounted it), read once.

    None where there is none (any more), where it is this process's own, or where this process may not enter it.
    """
    found: list[NetworkReader] = []

    def work() -> None:
        # The namespace of a thread ends with it: no other thread ever sees it.
        try:
            _enter(path)
            table = os.open("/proc/thread-self/net/dev", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return
        try:
            news = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        except OSError:
            os.close(table)
            return
        reader = NetworkReader(table, news)
        try:
            news.setblocking(False)
            news.bind((0, _RTMGRP_LINK))
        except OSError:
            reader.close()
            return
        reader.sample()
        found.append(reader)

    thread = threading.Thread(target=work, name="fluster-netns", daemon=True)
    thread.start()
    thread.join()
    return found[0] if found else None


def _enter(path: str) -> None:
    """Raises OSError."""
    namespace = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if os.path.samestat(os.fstat(namespace), Path("/proc/self/ns/net").stat()):
            raise OSError(f"{path} is this process's own namespace")
        if _libc().setns(namespace, _CLONE_NEWNET) != 0:  # os.setns comes with Python 3.12
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), path)
    finally:
        os.close(namespace)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
