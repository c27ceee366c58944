"""Which entries a filter wants, and how to find them without looking at every line.

RE2 searches whole blocks at memory speed: first for a text that every match has to contain, where there is one, then for the expression
itself. Only the lines that it finds are read as entries and asked the real question.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from heapq import merge
from typing import Any, Final

import re2

from fluster.errors import InvalidArgumentError
from fluster.logs.entry import SOURCES, LogEntry, LogFilter

__all__ = ["Matcher", "required_literals"]

_MOST_LITERALS: Final = 8
_SHORTEST_END: Final = 4
_RARITY: Final = {
    character: number for number, character in enumerate(" 0123456789etaoinsrlcd-:.umpfgh/=_bwTZFvyk,xjqz")
}
"""The characters of logs, frequent ones first; those that are not here are rarer still."""
_PIECE: Final = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|\\[pPx]\{[^}]*\}|\\.|.", re.DOTALL)
"""Of an expression: a class, what is escaped, or one character."""
_IN_LINES: Final = {"^": "", "\\A": "", "$": "(?m:$)", "\\z": "(?m:$)"}
"""Anchors as they are among other lines; where a text begins cannot be said there, and empty groups would be slow."""
_ODD: Final = frozenset({"\\Q", "\\C"})
"""They change what a piece is, or match a piece of a character."""
_HEAD_BYTES: Final = 40
"""Of a line of a log: what stands before its text."""
_BEHIND_HEAD: Final = f"(?m:^).{{{_HEAD_BYTES}}}.*?(?:%s)"
_parser: Any = re._parser  # type: ignore[attr-defined] # noqa: SLF001 # reads patterns; where it reads one otherwise than RE2, no literal comes of it


class Matcher:
    """Source, time and regex of a filter as one test. Raises InvalidArgumentError for a bad regex or source.

    Once `stop` is set, nobody waits for an answer any more.
    """

    def __init__(self, wanted: LogFilter, stop: threading.Event | None = None) -> None:
        self.stop = stop or threading.Event()
        if unknown := wanted.sources - set(SOURCES):
            raise InvalidArgumentError("source", f"{min(unknown)!r} is none; use build, stdout or stderr")
        self._sources = wanted.sources
        self._since = wanted.since_ns
        self._until = wanted.until_ns
        self._pattern: Any = _compiled(wanted.regex) if wanted.regex else None
        self._finders: list[Any] = []
        self._block_finders = _block_finders(wanted.regex) if wanted.regex else None
        if wanted.regex:
            self._finders = [_compiled(re2.escape(_rare_end(each))) for each in required_literals(wanted.regex)]

    @property
    def takes_all(self) -> bool:
        """Nothing is filtered."""
        return not self._sources and self._since is None and self._until is None and self._pattern is None

    @property
    def searches(self) -> bool:
        """lines() finds all lines that can match."""
        return bool(self._finders) or self._block_finders is not None

    def wants(self, source: str) -> bool:
        return not self._sources or source in self._sources

    def __call__(self, entry: LogEntry) -> bool:
        return (
            (not self._sources or entry.source in self._sources)
            and (self._since is None or entry.timestamp_ns >= self._since)
            and (self._until is None or entry.timestamp_ns < self._until)
            and (self._pattern is None or self._pattern.search(entry.data.decode("utf-8", "replace")) is not None)
        )

    def lines(self, block: bytes) -> Iterator[tuple[int, int]]:
        """(begin, end behind the newline) of the lines of a block that may match, in order."""
        at = 0
        if self._finders:
            hits = [found.start() for found in (finder.search(block) for finder in self._finders) if found]
            if not hits:
                return
            at = block.rfind(b"\n", 0, min(hits)) + 1
        if self._block_finders is not None and _is_text(block):
            yield from _lines_with(*self._block_finders, block, at)
            return
        # The expression is asked about other characters in place of bytes that are none. They are in no literal.
        last = -1
        for begin, end in merge(*(_lines_with(finder, finder, block, at) for finder in self._finders or [_ANY])):
            if begin > last:
                yield begin, end
                last = begin


def _lines_with(finder: Any, behind_head: Any, block: bytes, at: int) -> Iterator[tuple[int, int]]:
    while at < len(block) and (found := finder.search(block, at)):
        hit = found.start()
        begin = block.rfind(b"\n", 0, hit) + 1
        if finder is not behind_head and hit < begin + _HEAD_BYTES:
            # It finds something in heads. The other one does not, and is slower.
            finder, at = behind_head, begin
            continue
        at = block.find(b"\n", hit) + 1 or len(block)
        yield begin, at


def _is_text(block: bytes) -> bool:
    if block.isascii():
        return True
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True


def _block_finders(regex: str) -> tuple[Any, Any] | None:
    """Both match in every line whose text `regex` matches, and never beyond a line; the second one not in heads.

    None where that cannot be told.
    """
    pieces = _PIECE.findall(regex)
    if not _ODD.isdisjoint(pieces):
        return None
    rough = "".join(_IN_LINES.get(piece, piece) for piece in pieces)
    try:
        return _compiled(rough, in_lines=True), _compiled(_BEHIND_HEAD % rough, in_lines=True)
    except InvalidArgumentError:
        return None  # too large


def _compiled(regex: str, *, in_lines: bool = False) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.never_nl = in_lines
    try:
        return re2.compile(regex, options=options)
    except re2.error as error:
        raise InvalidArgumentError("regex", f"{regex[:80]!r} is not a regular expression: {_words(error)}") from None


def _words(error: Exception) -> str:
    detail = error.args[0] if error.args else error
    return detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)


_ANY: Final = _compiled("")


def _rare_end(literal: str) -> str:
    """RE2 jumps from one first character to the next: the end of a text is found sooner where it begins with a rarer one."""
    shortest = max(_SHORTEST_END, len(literal) // 2)
    ends = [literal[at:] for at in range(max(len(literal) - shortest, 0) + 1)]
    return max(ends, key=lambda end: _RARITY.get(end[0], len(_RARITY)))


def required_literals(regex: str) -> list[str]:
    """Texts of which every match contains at least one; none where that cannot be told."""
    if "[:" in regex:
        return []  # RE2's classes are something else there
    try:
        parsed = _parser.parse(regex)
    except (re.error, RecursionError, OverflowError):
        return []
    if parsed.state.flags & (re.IGNORECASE | re.VERBOSE):
        return []
    found = _required(parsed)
    return found if len(found) <= _MOST_LITERALS and all(_is_safe(each) for each in found) else []


def _is_safe(literal: str) -> bool:
    """Found in the bytes of the log as it stands in their text. One rare character helps, and a frequent one costs nothing."""
    return "\n" not in literal and "\ufffd" not in literal and literal.isprintable()


def _required(sequence: Any) -> list[str]:
    """Of a sequence of nodes all have to match: the best of what they require is enough."""
    found: list[list[str]] = []
    run: list[str] = []
    for operation, argument in sequence:
        name = str(operation)
        if name == "LITERAL":
            run.append(chr(argument))
            continue
        found.append(["".join(run)])
        run = []
        if name == "SUBPATTERN" and not argument[1] and not argument[2]:
            found.append(_required(argument[3]))
        elif name == "BRANCH":
            each = [_required(branch) for branch in argument[1]]
            found.append([literal for literals in each for literal in literals] if all(each) else [])
        elif name == "MAX_REPEAT" and argument[0] >= 1:
            found.append(_required(argument[2]))
    found.append(["".join(run)])
    return max((each for each in found if each and all(each)), key=lambda each: min(map(len, each)), default=[])
