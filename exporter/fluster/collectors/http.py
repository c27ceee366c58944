"""Counts of HTTP requests and RPCs, told by the doors of the web."""

from __future__ import annotations

from collections.abc import Iterable

from fluster.collectors.families import Counter, Family, Histogram

__all__ = ["HttpMetrics"]

_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class HttpMetrics:
    """Labels are route templates and method names: their number is bounded by the code."""

    def __init__(self) -> None:
        self._requests = Counter("fluster_http_requests_total")
        self._durations = Histogram("fluster_http_request_duration_seconds", _SECONDS)
        self._rpcs = Counter("fluster_rpc_requests_total")

    def request(self, route: str, code: int, seconds: float | None) -> None:
        """`seconds` is None for streams: how long a follower stays says nothing about the worker."""
        self._requests.inc(route, str(code))
        if seconds is not None:
            self._durations.observe(seconds, route)

    def rpc(self, method: str, code: str) -> None:
        self._rpcs.inc(method, code)

    def expect_route(self, route: str) -> None:
        """A route that is there: its answers count from 0."""
        self._requests.expect(route, "200")

    def expect_rpc(self, method: str) -> None:
        self._rpcs.expect(method, "ok")

    def collect(self) -> Iterable[Family]:
        return self._requests, self._durations, self._rpcs
