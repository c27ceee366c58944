"""The engine's own statistics, for where the worker cannot own a cgroup: a thread per container keeps the last ones."""

from __future__ import annotations

import threading
import time
from typing import Any, Final

import docker
import docker.errors

from fluster.job import Figures, Source
from fluster.runtime.contract import Point
from fluster.runtime.docker.client import AWAY

__all__ = ["StatisticsReader", "figures_from_statistics"]

_AGAIN_SECONDS: Final = 0.5
"""Before the stream is opened again."""


def figures_from_statistics(document: dict[str, Any]) -> Figures:
    """One document of `/containers/<id>/stats` as Figures, all of them sampled; cgroup v1 and v2 name things differently."""
    memory = document.get("memory_stats") or {}
    detail = memory.get("stats") or {}
    usage = memory.get("usage")
    inactive = detail.get("total_inactive_file", detail.get("inactive_file"))
    cpu = document.get("cpu_stats") or {}
    user, system = _modes(cpu.get("cpu_usage") or {})
    throttling = cpu.get("throttling_data") or {}
    processes = (document.get("pids_stats") or {}).get("current")
    # An empty list is what an engine tells that does not know: a kernel without this account, or a job without a word about it.
    transfers = (document.get("blkio_stats") or {}).get("io_service_bytes_recursive") or []
    networks = document.get("networks")
    return Figures(
        sampled_at_ns=time.time_ns(),
        memory_usage_bytes=usage,
        memory_working_set_bytes=None if usage is None or inactive is None else max(usage - inactive, 0),
        memory_anon_bytes=detail.get("total_rss", detail.get("anon")),
        memory_cache_bytes=detail.get("total_cache", detail.get("file")),
        memory_peak_bytes=memory.get("max_usage", usage),
        memory_peak_source=None if usage is None else Source.SAMPLED,
        memory_limit_hits=memory.get("failcnt"),
        cpu_user_seconds=user,
        cpu_system_seconds=system,
        cpu_source=None if user is None else Source.SAMPLED,
        cpu_periods=throttling.get("periods"),
        cpu_throttled_periods=throttling.get("throttled_periods"),
        cpu_throttled_seconds=throttling["throttled_time"] / 1e9 if "throttled_time" in throttling else None,
        processes=processes,
        processes_peak=processes,
        processes_peak_source=None if processes is None else Source.SAMPLED,
        block_read_bytes=_transferred(transfers, "read"),
        block_written_bytes=_transferred(transfers, "write"),
        # No key is no network of its own; an empty one is a network without interfaces.
        network_receive_bytes=None if networks is None else sum(each.get("rx_bytes", 0) for each in networks.values()),
        network_transmit_bytes=None if networks is None else sum(each.get("tx_bytes", 0) for each in networks.values()),
    )


def _modes(usage: dict[str, Any]) -> tuple[float | None, float | None]:
    """Seconds in user and system mode. Their total is exact, the modes are ticks on v1: scaled, so that they add up to it."""
    total, system = usage.get("total_usage"), usage.get("usage_in_kernelmode")
    if total is None or system is None:
        return None, None
    ticks = system + usage.get("usage_in_usermode", max(total - system, 0))
    in_system = total * system // ticks if ticks else 0
    return (total - in_system) / 1e9, in_system / 1e9


def _transferred(transfers: list[dict[str, Any]], direction: str) -> int | None:
    """Bytes over all devices; v1 writes `Read`, v2 writes `read`."""
    if not transfers:
        return None
    return sum(int(each.get("value", 0)) for each in transfers if str(each.get("op", "")).lower() == direction)


class StatisticsReader:
    """Reading it never waits: a thread of its own keeps the last document of the engine's stream."""

    def __init__(self, client: docker.APIClient, container: str) -> None:
        self._client = client
        self._container = container
        self._figures = Figures()
        self._closed = threading.Event()
        threading.Thread(target=self._follow, name=f"fluster-stats-{container[:12]}", daemon=True).start()

    def sample(self) -> Point:
        figures = self._figures
        return Point(
            figures.sampled_at_ns,
            None if figures.cpu_seconds is None else int(figures.cpu_seconds * 1e9),
            figures.memory_usage_bytes,
            figures.memory_working_set_bytes,
            figures.memory_anon_bytes,
            figures.processes,
        )

    def sample_last(self) -> None:
        """After the end the engine tells nothing more: the last full document stands."""

    def sample_memory(self) -> Point | None:
        return None

    def figures(self, **seen: Any) -> Figures:
        return self._figures.evolve(**seen)

    def close(self) -> None:
        """The thread ends with the next document, or with the container."""
        self._closed.set()

    def _follow(self) -> None:
        while not self._closed.is_set():
            try:
                for document in self._client.stats(self._container, decode=True, stream=True):
                    if self._closed.is_set():
                        return
                    self._take(document)
                # The end of the stream says nothing: an engine that goes ends it, too, and the container may go on without one.
                if not self._client.inspect_container(self._container)["State"]["Running"]:
                    return
            except docker.errors.NotFound:
                return
            except (docker.errors.APIError, *AWAY):
                pass  # others find out how long an engine may be away; the last figures stand meanwhile
            self._closed.wait(_AGAIN_SECONDS)

    def _take(self, document: dict[str, Any]) -> None:
        # Before the start and after the end the engine sends empty documents: the last full one stands.
        if (document.get("memory_stats") or {}).get("usage"):
            self._figures = figures_from_statistics(document).over(self._figures)
