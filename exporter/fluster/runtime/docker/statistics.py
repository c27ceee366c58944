"""The engine's own statistics, for where the worker cannot own a cgroup: a thread per container keeps the last ones."""

from __future__ import annotations

import threading
import time
from typing import Any

import docker
import docker.errors

from fluster.job import Figures, Source
from fluster.runtime.contract import Point
from fluster.runtime.docker.client import AWAY

__all__ = ["StatisticsReader", "figures_from_statistics"]


def figures_from_statistics(document: dict[str, Any]) -> Figures:
    """One document of `/containers/<id>/stats` as Figures, all of them sampled; cgroup v1 and v2 name things differently."""
    memory = document.get("memory_stats") or {}
    detail = memory.get("stats") or {}
    usage = memory.get("usage")
    inactive = detail.get("total_inactive_file", detail.get("inactive_file"))
    cpu = document.get("cpu_stats") or {}
    cpu_usage = cpu.get("cpu_usage") or {}
    throttling = cpu.get("throttling_data") or {}
    total = cpu_usage.get("total_usage")
    system = cpu_usage.get("usage_in_kernelmode")
    return Figures(
        sampled_at_ns=time.time_ns(),
        memory_usage_bytes=usage,
        memory_working_set_bytes=None if usage is None or inactive is None else max(usage - inactive, 0),
        memory_anon_bytes=detail.get("total_rss", detail.get("anon")),
        memory_cache_bytes=detail.get("total_cache", detail.get("file")),
        memory_peak_bytes=memory.get("max_usage", usage),
        memory_peak_source=None if usage is None else Source.SAMPLED,
        memory_limit_hits=memory.get("failcnt"),
        cpu_user_seconds=None if total is None or system is None else max(total - system, 0) / 1e9,
        cpu_system_seconds=None if system is None else system / 1e9,
        cpu_source=None if total is None else Source.SAMPLED,
        cpu_periods=throttling.get("periods"),
        cpu_throttled_periods=throttling.get("throttled_periods"),
        cpu_throttled_seconds=throttling["throttled_time"] / 1e9 if "throttled_time" in throttling else None,
        processes=(document.get("pids_stats") or {}).get("current"),
    )


class StatisticsReader:
    """Reading it never waits: a thread of its own keeps the last document of the engine's stream."""

    def __init__(self, client: docker.APIClient, container: str) -> None:
        self._client = client
        self._container = container
        self._figures = Figures()
        self._closed = False
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

    def figures(self) -> Figures:
        return self._figures

    def close(self) -> None:
        """The thread ends with the next document, or with the container."""
        self._closed = True

    def _follow(self) -> None:
        try:
            for document in self._client.stats(self._container, decode=True, stream=True):
                if self._closed:
                    return
                # After the end the engine sends empty documents: the last full one stands.
                if (document.get("memory_stats") or {}).get("usage"):
                    self._figures = figures_from_statistics(document).over(self._figures)
        except (docker.errors.APIError, *AWAY):
            return  # the container's end, or the engine's, which others notice
