"""A job's text made harmless to look at: ANSI colours become classes, all other control characters become visible marks.

Known are colours and weight only: nothing moves the cursor or sets a title.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["segments", "visible"]

_ESCAPE: Final = re.compile(r"\x1b(?:\[([0-9;:]*)([A-Za-z])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
_BIDI: Final = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""Marks and overrides that reorder what stands around them: a name could pretend to be another."""
_MARKS: Final = {
    **{code: 0x2400 + code for code in range(32) if code not in {9, 10}},
    **dict.fromkeys((*range(0x7F, 0xA0), *_BIDI), 0xFFFD),
}
_WEIGHTS: Final = {22: {"a1", "a2"}, 23: {"a3"}, 24: {"a4"}}


def visible(text: str) -> str:
    """`text` with control and bidi characters as marks; tab and newline stay."""
    return text if text.isprintable() else text.translate(_MARKS)


def segments(text: str) -> list[tuple[str, str]]:
    """`text` as (classes, piece) by its ANSI colours, other escape sequences left out; each piece is visible()."""
    if "\x1b" not in text:
        return [("", visible(text))] if text else []
    found: list[tuple[str, str]] = []
    classes: list[str] = []
    at = 0
    for match in _ESCAPE.finditer(text):
        if piece := text[at : match.start()]:
            found.append((" ".join(classes), visible(piece)))
        at = match.end()
        if match[2] == "m":
            classes = _after(classes, [int(code[:4] or 0) for code in re.split("[;:]", match[1])])
    if piece := text[at:]:
        found.append((" ".join(classes), visible(piece)))
    return found


def _after(classes: list[str], codes: list[int]) -> list[str]:
    left = iter(codes)
    for code in left:
        if code == 0:
            classes = []
        elif 1 <= code <= 4:
            classes = [*(name for name in classes if name != f"a{code}"), f"a{code}"]
        elif code in _WEIGHTS:
            classes = [name for name in classes if name not in _WEIGHTS[code]]
        elif 30 <= code <= 37 or 90 <= code <= 97:
            classes = _coloured(classes, code)
        elif code == 39:
            classes = _coloured(classes, None)
        elif code in {38, 48}:  # a colour of 256 or of RGB: its numbers are no codes of their own
            kind = next(left, 0)
            numbers = [next(left, 0) for _ in range({5: 1, 2: 3}.get(kind, 0))]
            if code == 38:
                basic = numbers[0] if kind == 5 and numbers[0] < 16 else None
                classes = _coloured(classes, None if basic is None else basic + (30 if basic < 8 else 82))
    return classes


def _coloured(classes: list[str], code: int | None) -> list[str]:
    kept = [name for name in classes if not name.startswith("f")]
    return kept if code is None else [*kept, f"f{code}"]
