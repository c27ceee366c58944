"""Counts of HTTP requests and RPCs, told by the doors of the web."""

from __future__ import annotations

from prometheus_client.registry import CollectorRegistry

from fluster.collectors.families import counter, histogram

__all__ = ["HttpMetrics"]

_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class HttpMetrics:
    """Labels are route templates and method names: their number is bounded by the code."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = counter("fluster_http_requests_total", registry)
        self._durations = histogram("fluster_http_request_duration_seconds", _SECONDS, registry)
        self._rpcs = counter("fluster_rpc_requests_total", registry)

    def request(self, route: str, code: int, seconds: float | None) -> None:
        """`seconds` is None for streams: how long a follower stays says nothing about the worker."""
        self._requests.labels(route, str(code)).inc()
        if seconds is not None:
            self._durations.labels(route).observe(seconds)

    def rpc(self, method: str, code: str) -> None:
        self._rpcs.labels(method, code).inc()
