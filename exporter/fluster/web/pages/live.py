"""One way of being live: a page is a set of named parts, and those that changed since the last event are sent again.

What is sent depends on what is there, never on what happened: a page that comes back gets everything once more and has missed nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from starlette.responses import Response

from fluster.web.events import EventStream
from fluster.web.followers import Followers

__all__ = ["Changes", "event", "hello", "stream"]


class Changes:
    """What one reader has been told: by name, the last thing that was sent."""

    def __init__(self) -> None:
        self._sent: dict[str, Any] = {}

    def parts(self, parts: Mapping[str, str]) -> bytes:
        """An event `parts` with those that are new or not as they were; nothing where there are none. What is no part any more is forgotten."""
        changed = {name: html for name, html in parts.items() if self._differs(f"part {name}", html)}
        for name in [name for name in self._sent if name.startswith("part ") and name[5:] not in parts]:
            del self._sent[name]
        return event("parts", changed) if changed else b""

    def value(self, name: str, value: Any) -> bytes:
        """An event `name`, unless it would say again what the last one said."""
        return event(name, value) if self._differs(name, value) else b""

    def _differs(self, name: str, value: Any) -> bool:
        before = self._sent.get(name)
        # Rows of jobs that ended are the same object each time.
        if before is value or before == value:
            return False
        self._sent[name] = value
        return True


def event(name: str, value: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), orjson.dumps(value, default=str))


def hello(assets: str) -> bytes:
    """The first event: which static files this worker has, and its clock in ms, so that durations tick by it."""
    return event("hello", {"assets": assets, "now": time.time_ns() // 1_000_000})


def stream(followers: Followers, events: Callable[[], Any]) -> Response:
    """The events of one reader. Raises ResourceExhaustedError where too many are there already."""
    followers.join()
    return EventStream(events(), on_close=followers.leave, beat=event("beat", {}))
