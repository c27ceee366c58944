"""How many may follow at once through one door: each costs a place in memory and some looks at files every second."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from fluster.errors import ResourceExhaustedError

__all__ = ["MAX_FOLLOWERS", "Followers"]

MAX_FOLLOWERS: Final = 200


class Followers:
    """Belongs to the event loop."""

    def __init__(self, limit: int = MAX_FOLLOWERS) -> None:
        self._limit = limit
        self.count = 0

    def join(self) -> None:
        """Raises ResourceExhaustedError where all places are taken; whoever joined must leave."""
        if self.count >= self._limit:
            raise ResourceExhaustedError(f"{self._limit} followers are there already; close one, or read by pages")
        self.count += 1

    def leave(self) -> None:
        self.count -= 1

    @contextmanager
    def one(self) -> Iterator[None]:
        """One follower more for as long as the block runs."""
        self.join()
        try:
            yield
        finally:
            self.leave()
