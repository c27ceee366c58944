"""The worker line: what this worker and its machine have, and how much of it is in use."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from typing import Final

import psutil

from fluster.sizes import format_bytes
from fluster.version import __version__
from fluster.web.pages.memory import share
from fluster.web.services import Services

__all__ = ["Fact", "Machine"]

_SECONDS: Final = 1.0
"""How long a look at the machine stands for all readers of the list."""


@dataclass(frozen=True, slots=True)
class Fact:
    name: str
    text: str
    share: float | None = None
    """0 to 1, where it is a part of something."""


class Machine:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._looked = 0.0
        self._measured: list[Fact] = []
        psutil.cpu_percent()  # the first answer is about nothing

    def facts(self) -> list[Fact]:
        manager, info = self._services.manager, self._services.runtime.info
        now = time.monotonic()
        if not self._measured or now - self._looked >= _SECONDS:
            self._looked, self._measured = now, self._measure()
        return [
            Fact("Slots", f"{manager.slots_used} of {manager.slots}", share(manager.slots_used, manager.slots)),
            Fact(
                "Queue", f"{manager.queue_length} of {manager.queue_limit}", share(manager.queue_length, manager.queue_limit)
            ),
            *self._measured,
            Fact("Runtime", f"{info.name} {info.engine_version}".strip()),
            Fact("Version", __version__),
        ]  # fmt: skip

    def _measure(self) -> list[Fact]:
        memory, disk = psutil.virtual_memory(), shutil.disk_usage(self._services.settings.state_dir)
        busy, cores, used = psutil.cpu_percent(), psutil.cpu_count() or 1, memory.total - memory.available
        return [
            Fact("CPU", f"{busy:.0f} % of {cores} cores", busy / 100),
            Fact("Memory", f"{format_bytes(used)} of {format_bytes(memory.total)}", share(used, memory.total)),
            Fact("Disk", f"{format_bytes(disk.free)} free", share(disk.used, disk.used + disk.free)),
        ]
