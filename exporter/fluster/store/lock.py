"""One worker per state directory, and per worker id on a machine: locks that the kernel releases when their holder dies."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from fluster.errors import FailedPreconditionError

__all__ = ["StateLock", "WorkerIdLock"]


class StateLock:
    """An exclusive flock on `<state-dir>/lock`, which also names the holder for whoever is refused."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "lock"
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Raises FailedPreconditionError where another worker holds the directory, OSError where it cannot be written."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise FailedPreconditionError(
                f"another worker (pid {holder}) uses {self._path.parent}; stop it, or give this one its own --state-dir"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class WorkerIdLock:
    """A name among the machine's abstract sockets: cgroups and containers carry the id, so two with one would end each other's jobs.

    It is seen by all users, and within one network namespace: workers in containers of their own do not see each other's.
    """

    def __init__(self, worker_id: str) -> None:
        self._worker_id = worker_id
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        """Raises FailedPreconditionError where another worker that lives has the id."""
        held = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            held.bind(f"\0fluster/worker/{self._worker_id}")
        except OSError as error:
            held.close()
            if error.errno != errno.EADDRINUSE:
                raise
            raise FailedPreconditionError(
                f"another worker on this machine is {self._worker_id}, too, and each would end the other's jobs; "
                "stop it, or give one of them another --worker-id"
            ) from None
        self._socket = held
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
