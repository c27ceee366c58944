"""The text of /proc/net/dev: a line for each interface."""

from __future__ import annotations

from fluster.netns.counters import Counters

__all__ = ["counters_by_name"]

_RECEIVED, _TRANSMITTED, _COLUMNS = 0, 8, 16


def counters_by_name(text: bytes) -> dict[str, Counters]:
    """Counters of each interface but loopback. What is no such line (the two of the head, a cut one) is passed over."""
    found: dict[str, Counters] = {}
    for line in text.split(b"\n"):
        name, colon, rest = line.rpartition(b":")  # a name may hold a colon of its own: an alias
        name = name.strip()
        if not colon or name == b"lo":
            continue
        words = rest.split()
        if len(words) >= _COLUMNS and words[_RECEIVED].isdigit() and words[_TRANSMITTED].isdigit():
            found[name.decode("utf-8", "replace")] = Counters(int(words[_RECEIVED]), int(words[_TRANSMITTED]))
    return found
