"""Free TCP ports for named ports of jobs."""

from __future__ import annotations

import socket
from collections.abc import Iterable

__all__ = ["PortAllocator"]


class PortAllocator:
    """Hands out ports that nobody listens on and that no other live job of this worker was given."""

    def __init__(self) -> None:
        self._taken: set[int] = set()

    def take(self, names: Iterable[str]) -> dict[str, int]:
        """A port of 127.0.0.1 for each name. Raises OSError where the machine has none left."""
        ports: dict[str, int] = {}
        try:
            for name in names:
                ports[name] = self._free()
        except BaseException:
            self.give_back(ports)
            raise
        return ports

    def adopt(self, ports: dict[str, int]) -> None:
        """Ports that a live job holds already."""
        self._taken.update(ports.values())

    def give_back(self, ports: dict[str, int]) -> None:
        self._taken.difference_update(ports.values())

    def _free(self) -> int:
        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port: int = probe.getsockname()[1]
            if port not in self._taken:
                self._taken.add(port)
                return port
