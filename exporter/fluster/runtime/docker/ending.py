"""Knows when a container has ended: one thread in which the engine's own `wait` stands, and an inspection that decides.

A `wait` answers at once for what has ended already, so that no end falls between asking and listening, and it is one parked
connection. Its answer, like its breaking off, is only a reason to inspect: engines are restarted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final

import docker
import docker.errors

from fluster.errors import EngineUnavailableError, FlusterError, InfrastructureError
from fluster.runtime.docker.client import AWAY, cut, is_remote

__all__ = ["AWAY_SECONDS", "Ending"]

AWAY_SECONDS: Final = 30.0
"""How long an engine may be away before its containers count as lost."""
_REMOTE_SECONDS: Final = 600.0
"""How long a quiet connection over a network is trusted to be still there."""


class Ending:
    """`over` is set once, then `notify` is called; `failure` says where it was no ordinary end.

    `failure` is InfrastructureError where the container vanished, EngineUnavailableError where the engine stayed away for 30 s.
    """

    def __init__(self, client: docker.APIClient, container: str, notify: Callable[[], None]) -> None:
        self._client = client
        self._container = container
        self._notify = notify
        self._response: Any = None
        self._closing = threading.Event()
        self.over = threading.Event()
        self.failure: FlusterError | None = None
        self._thread = threading.Thread(target=self._work, name=f"fluster-end-{container[:12]}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Wait no longer."""
        self._closing.set()
        response = self._response
        if response is not None:
            cut(response)

    def _work(self) -> None:
        try:
            self._look_until_ended()
        except FlusterError as error:
            self.failure = error
        except Exception as error:  # noqa: BLE001 # whatever a thread meets must reach the one who waits
            self.failure = InfrastructureError(f"the end of the container cannot be known: {error}")
        if not self._closing.is_set():
            self.over.set()
            self._notify()

    def _look_until_ended(self) -> None:
        away_since: float | None = None
        pause = 0.05
        while not self._closing.is_set():
            try:
                self._wait()
                if not self._client.inspect_container(self._container)["State"]["Running"]:
                    return
            except docker.errors.NotFound:
                raise InfrastructureError("the container vanished: someone else removed it") from None
            except (docker.errors.APIError, *AWAY) as error:
                away_since = away_since or time.monotonic()
                if time.monotonic() - away_since > AWAY_SECONDS:
                    raise EngineUnavailableError(
                        f"the engine did not answer for {AWAY_SECONDS:.0f} s while the job ran"
                    ) from error
            else:
                away_since, pause = None, 0.05
            self._closing.wait(pause)
            pause = min(pause * 2, 2.0)

    def _wait(self) -> None:
        """Until the engine says that the container has ended, or says no more. Raises docker.errors.APIError."""
        url = self._client._url("/containers/{0}/wait", self._container)  # type: ignore[attr-defined] # noqa: SLF001 # the SDK's wait cannot be cut short
        timeout = (60, _REMOTE_SECONDS if is_remote(self._client) else None)
        try:
            with self._client.post(url, stream=True, timeout=timeout) as response:
                self._client._raise_for_status(response)  # type: ignore[attr-defined] # noqa: SLF001 # as above
                self._response = response
                if not self._closing.is_set():
                    response.raw.read()
        except AWAY:
            return  # it broke off
        finally:
            self._response = None
