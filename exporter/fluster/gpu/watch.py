"""GpuWatch: the one thread that talks to NVML. It finds the GPUs at start and then reads those that are assigned.

Everybody else only looks at what it read last: a driver that hangs holds this thread and nothing else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

from loguru import logger

from fluster.gpu.gpu import Gpu
from fluster.gpu.nvml import Nvml, Reading, open_nvml
from fluster.job import GpuFigures

__all__ = ["GpuWatch"]

_OPEN_SECONDS: Final = 10.0
"""A driver that was just loaded takes seconds to answer for the first time."""
_CLOSE_SECONDS: Final = 1.0
_STALE_SECONDS: Final = 5.0
"""What was read longer ago, and more than a few intervals ago, is not told as a live figure."""


class _Assigned:
    """What was seen of one GPU since it was assigned."""

    __slots__ = ("at", "peak", "reading")

    def __init__(self) -> None:
        self.at = 0.0
        self.reading = Reading()
        self.peak: int | None = None


class GpuWatch:
    """Thread-safe. `clock` is monotonic seconds. Where there is no GPU it has no thread, and knows nothing."""

    def __init__(self, interval_seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = interval_seconds
        self._clock = clock
        self._nvml: Nvml | None = None
        self._assigned: dict[str, _Assigned] = {}
        self._opened = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self.on_error: Callable[[Exception], None] = lambda _error: None
        """Called from the thread for each reading that failed."""
        self.gpus: tuple[Gpu, ...] = ()
        """Complete after open()."""

    def open(self, patience_seconds: float = _OPEN_SECONDS) -> tuple[Gpu, ...]:
        """Blocking: the GPUs of this machine; none where the driver does not answer in time."""
        self._thread = threading.Thread(target=self._run, name="fluster-gpu", daemon=True)
        self._thread.start()
        if not self._opened.wait(patience_seconds):
            logger.warning(
                "the GPU driver does not answer: this worker assigns no GPUs; start it again once nvidia-smi does"
            )
            self._closing.set()
            return ()
        return self.gpus

    def close(self) -> None:
        """Ends the thread; one that hangs in the driver is left behind and keeps nobody from ending."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(_CLOSE_SECONDS)

    def begin(self, uuids: Iterable[str]) -> None:
        """These are assigned to a job from now on: what was seen of them before is not its own."""
        for uuid in uuids:
            self._assigned[uuid] = _Assigned()

    def figures(self, uuids: Iterable[str]) -> tuple[GpuFigures, ...]:
        """As of the last reading."""
        return tuple(self._figures(uuid, self._assigned.get(uuid)) for uuid in uuids)

    def end(self, uuids: Iterable[str]) -> tuple[GpuFigures, ...]:
        """They are given back. What stays are the peaks: what a GPU does now is no figure of a job that has ended."""
        ended = [(uuid, self._assigned.pop(uuid, None)) for uuid in uuids]
        return tuple(GpuFigures(uuid=uuid, memory_peak_bytes=seen.peak if seen else None) for uuid, seen in ended)

    def read(self) -> None:
        """One pass over the assigned GPUs."""
        if self._nvml is None:
            return
        for uuid, assigned in list(self._assigned.items()):
            reading = self._nvml.read(uuid)
            used = reading.memory_used_bytes
            if used is not None:
                assigned.peak = max(used, assigned.peak or 0)
            assigned.reading, assigned.at = reading, self._clock()

    def _figures(self, uuid: str, assigned: _Assigned | None) -> GpuFigures:
        if assigned is None:
            return GpuFigures(uuid=uuid)
        fresh = self._clock() - assigned.at <= max(_STALE_SECONDS, 3 * self._interval)
        reading = assigned.reading if fresh else Reading()
        return GpuFigures(
            uuid=uuid,
            utilization_ratio=reading.utilization_ratio,
            memory_used_bytes=reading.memory_used_bytes,
            memory_peak_bytes=assigned.peak,
        )

    def _run(self) -> None:
        nvml = None
        try:
            nvml = open_nvml()
            gpus = nvml.gpus() if nvml else ()
        except Exception as error:  # noqa: BLE001 # whatever a driver does, a worker without GPUs is better than none
            logger.debug("GPUs cannot be listed: {}", error)
            gpus = ()
        if nvml is not None:
            nvml.on_error = self._failed
            self._nvml = nvml
        if not self._closing.is_set():
            self.gpus = gpus
        self._opened.set()
        while gpus and not self._closing.wait(self._interval):
            try:
                self.read()
            except Exception as error:  # noqa: BLE001 # counted, the next pass tries again
                self._failed(error)
        if nvml is not None:
            nvml.close()

    def _failed(self, error: Exception) -> None:
        self.on_error(error)
