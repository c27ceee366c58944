"""The sum over all interfaces that a namespace ever had: arithmetic alone, told by a table of counters and by messages."""

from __future__ import annotations

from collections.abc import Mapping

from fluster.netns.counters import NOTHING, Counters
from fluster.netns.message import LinkMessage, Word

__all__ = ["LinkAccount"]


class _Link:
    __slots__ = ("counters", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.counters = NOTHING


class LinkAccount:
    """Links go by their number, which stays when an engine renames them on their way out.

    A link counts from the kernel's first word of it. One that is missing without a word of its end counts as it was seen last.
    """

    def __init__(self) -> None:
        self._links: dict[int, _Link] = {}
        self._gone = NOTHING
        self._listed: set[int] = set()
        self._present: Mapping[str, Counters] = {}
        self._listing = False
        self._list_due = True
        self._complete = False

    def hear(self, message: LinkMessage) -> None:
        if message.word is Word.LIST_FAILED:
            self._listing, self._list_due = False, True
        elif message.word is Word.LISTED:
            if self._listing:
                self._listing, self._complete = False, True
                for number in self._links.keys() - self._listed:
                    self._end(number)
        elif not message.loopback:
            link = self._links.get(message.number)
            if link is None:
                link = self._links[message.number] = _Link(message.name)
            link.name = message.name or link.name
            if message.counters is not None:
                # A veth that is deleted together with its peer tells only one direction: it has not received less for that.
                link.counters = link.counters.at_least(message.counters)
            self._listed.add(message.number)
            if message.word is Word.GONE:
                self._end(message.number)

    @property
    def wants_list(self) -> bool:
        """Nothing is known yet, or messages were lost: the list of links is to be asked for. One at a time."""
        return self._list_due and not self._listing

    def list_asked(self) -> None:
        """The list is on its way."""
        self._listing, self._list_due = True, False
        self._listed = set()

    def messages_lost(self) -> None:
        self._list_due = True

    def see(self, present: Mapping[str, Counters]) -> None:
        """The counters of the interfaces that are there, by name."""
        self._present = present
        for link in self._links.values():
            counters = present.get(link.name)
            if counters is not None:
                link.counters = link.counters.at_least(counters)

    @property
    def missing(self) -> bool:
        """A link is not there any more, and its last counters were not told yet."""
        return any(link.name not in self._present for link in self._links.values())

    @property
    def total(self) -> Counters | None:
        """None until the first list is complete: links may be there that are not counted."""
        if not self._complete:
            return None
        total = self._gone
        for link in self._links.values():
            total = total.plus(link.counters)
        return total

    def _end(self, number: int) -> None:
        self._gone = self._gone.plus(self._links.pop(number).counters)
