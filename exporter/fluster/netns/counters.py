"""What an interface has carried."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["NOTHING", "Counters"]


class Counters(NamedTuple):
    """Bytes since the interface was made, headers of the link layer included."""

    received: int
    transmitted: int

    def plus(self, other: Counters) -> Counters:
        return Counters(self.received + other.received, self.transmitted + other.transmitted)

    def at_least(self, other: Counters) -> Counters:
        """The higher of each: counters never fall."""
        return Counters(max(self.received, other.received), max(self.transmitted, other.transmitted))


NOTHING = Counters(0, 0)
