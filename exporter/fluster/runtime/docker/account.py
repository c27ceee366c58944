"""All that the kernel accounts of one container: its cgroup and its network namespace, read in one go."""

from __future__ import annotations

from typing import Any

from fluster.job import Figures
from fluster.netns import NetworkReader
from fluster.runtime.cgroup_figures import CgroupFiguresReader
from fluster.runtime.contract import Point

__all__ = ["ContainerAccount"]


class ContainerAccount:
    """`network` is None where the job has no network namespace of its own, or it could not be opened in time."""

    def __init__(self, cgroup: CgroupFiguresReader, network: NetworkReader | None = None) -> None:
        self.cgroup = cgroup
        self.network = network

    def sample(self) -> Point:
        if self.network is not None:
            self.network.sample()
        return self.cgroup.sample()

    def sample_last(self) -> None:
        """The reading after the end: the engine may be about to take the interfaces away."""
        if self.network is not None:
            self.network.settle()
        self.cgroup.sample_last()

    def sample_memory(self) -> Point | None:
        return self.cgroup.sample_memory()

    def figures(self, **seen: Any) -> Figures:
        total = self.network.total if self.network is not None else None
        if total is None:
            return self.cgroup.figures(**seen)
        return self.cgroup.figures(
            network_receive_bytes=total.received, network_transmit_bytes=total.transmitted, **seen
        )

    def close(self) -> None:
        """Idempotent; what was read last stands."""
        self.cgroup.close()
        if self.network is not None:
            self.network.close()
