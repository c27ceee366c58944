"""One line of the worker's log, as JSON and as text. Whatever is in a message, it stays one line and steers no terminal."""

from __future__ import annotations

import json
import traceback
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from loguru import Record

__all__ = ["Line", "json_line", "text_line"]

_BOUND: Final = ("job_id", "phase")
_MOST: Final = {"message": 4_000, "error": 4_000, "traceback": 16_000}
"""Characters; of a longer text the middle is left out. What is logged may have come with a request, and lines wait in memory."""
_COLOURS: Final = {"DEBUG": "34;1", "INFO": "1", "WARNING": "33;1", "ERROR": "31;1", "CRITICAL": "41;1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    time: datetime = field(default_factory=lambda: datetime.now(UTC))
    level: str
    message: str
    bound: dict[str, str] = field(default_factory=dict)
    """The job and its phase, where it is about one."""
    error: str = ""
    traceback: str = ""

    @classmethod
    def of(cls, record: Record) -> Line:
        exception = record["exception"]
        error = shown = ""
        if exception is not None and exception.type is not None:
            error = f"{exception.type.__name__}: {_words(exception.value)}"
            shown = "".join(traceback.format_exception(exception.type, exception.value, exception.traceback))
        return cls(
            time=record["time"],
            level=record["level"].name,
            message=_cut(record["message"], "message"),
            bound={name: str(record["extra"][name]) for name in _BOUND if name in record["extra"]},
            error=_cut(error, "error"),
            traceback=_cut(shown, "traceback"),
        )


def json_line(line: Line) -> bytes:
    document: dict[str, Any] = {
        # Always with six digits: isoformat() alone leaves them out in a full second.
        "time": f"{line.time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z",
        "level": line.level.lower(),
        "message": line.message,
        **line.bound,
    }
    if line.error:
        document |= {"error": line.error, "traceback": line.traceback}
    text = json.dumps(document, ensure_ascii=False)
    # What a terminal would obey can only stand inside of strings: there an escape means the same.
    return f"{text if text.isprintable() else ''.join(map(_json_letter, text))}\n".encode()


def text_line(line: Line, *, colour: bool) -> bytes:
    def coloured(text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if colour else text

    time = f"{line.time.astimezone():%H:%M:%S}.{line.time.microsecond // 1000:03}"
    level = coloured(f"{line.level:<7}", _COLOURS.get(line.level, "1"))
    # Set in, a traceback cannot look like lines of the log.
    below = "".join(f"    {_inert(each)}\n" for each in line.traceback.splitlines())
    return f"{coloured(time, '2')} {level} {_inert(line.message)}\n{below}".encode()


def _inert(text: str) -> str:
    """Control, bidi and other invisible characters as escapes, newlines too."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def _json_letter(letter: str) -> str:
    if letter.isprintable():
        return letter
    if "\ud800" <= letter <= "\udfff":
        return "\\ufffd"  # half a character, from a file name that is no UTF-8: strict readers refuse it
    if letter == "\x7f":
        return "\\u007f"  # which json.dumps leaves as it is
    return json.dumps(letter)[1:-1]


def _cut(text: str, what: str) -> str:
    most = _MOST[what]
    return text if len(text) <= most else f"{text[: most // 2]} ... {text[-most // 2 :]}"


def _words(error: BaseException | None) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 # an error that cannot be shown must not hide where it came from
        return "(it cannot be shown)"
