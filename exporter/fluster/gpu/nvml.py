"""NVML, NVIDIA's management library: the list of GPUs and two readings of each.

Any call may take milliseconds, and hangs where the driver hangs: only the thread of GpuWatch makes them.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from loguru import logger

from fluster.gpu.gpu import Gpu

__all__ = ["Nvml", "Reading", "open_nvml"]

_LIBRARY: Final = "libnvidia-ml.so.1"


class Reading(NamedTuple):
    """None is unknown: the device does not tell, or the reading failed."""

    utilization_ratio: float | None = None
    memory_used_bytes: int | None = None


def open_nvml() -> Nvml | None:
    """None where there is no driver, or none that answers."""
    try:
        ctypes.CDLL(_LIBRARY)  # its Python module takes a tenth of a second to import: only where it is of use
    except OSError:
        return None
    try:
        import pynvml
    except ImportError as error:
        logger.debug("GPUs are not looked at: {}", error)
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        logger.debug("NVML does not start: {}", error)
        return None
    return Nvml(pynvml)


class Nvml:
    """NVML, started. `on_error` is told of each reading that failed; that a device has no such figure is no failure."""

    def __init__(self, library: Any) -> None:
        self._nvml = library
        self._handles: dict[str, Any] = {}
        self.on_error: Callable[[Exception], None] = lambda error: logger.debug("a reading failed: {}", error)

    def gpus(self) -> tuple[Gpu, ...]:
        """All that answer, in NVML's order; their handles are kept for `read`."""
        found: list[Gpu] = []
        for index in range(self._known(self._nvml.nvmlDeviceGetCount) or 0):
            handle = self._known(self._nvml.nvmlDeviceGetHandleByIndex, index)
            uuid = self._known(self._nvml.nvmlDeviceGetUUID, handle) if handle is not None else None
            if uuid is not None:
                memory = self._known(self._memory, handle)
                self._handles[uuid] = handle
                found.append(Gpu(uuid=uuid, index=index, memory_bytes=int(memory.total) if memory else None))
        return tuple(found)

    def read(self, uuid: str) -> Reading:
        handle = self._handles.get(uuid)
        if handle is None:
            return Reading()
        rates, memory = self._known(self._nvml.nvmlDeviceGetUtilizationRates, handle), self._known(self._memory, handle)
        return Reading(rates.gpu / 100 if rates else None, int(memory.used) if memory else None)

    def close(self) -> None:
        self._known(self._nvml.nvmlShutdown)

    def _memory(self, handle: Any) -> Any:
        """What programs hold: only the newer call keeps the driver's own reserve out of it."""
        try:
            return self._nvml.nvmlDeviceGetMemoryInfo(handle, self._nvml.nvmlMemory_v2)
        except self._nvml.NVMLError_FunctionNotFound:
            return self._nvml.nvmlDeviceGetMemoryInfo(handle)

    def _known(self, call: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except self._nvml.NVMLError_NotSupported:
            return None
        except self._nvml.NVMLError as error:
            self.on_error(error)
            return None
