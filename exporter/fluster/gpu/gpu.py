"""One GPU, and how a process is told which ones are its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Gpu", "visible_devices"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """A GPU of this machine; `uuid` is its name, since an index may change with a restart of the machine."""

    uuid: str
    index: int = 0
    memory_bytes: int | None = None


def visible_devices(uuids: Sequence[str]) -> dict[str, str]:
    """The variables by which CUDA, and the container runtimes of NVIDIA, see these GPUs and no other."""
    names = ",".join(uuids)
    return {"CUDA_VISIBLE_DEVICES": names, "NVIDIA_VISIBLE_DEVICES": names or "void"}
