"""Templates: whole pages, and the parts of them that are sent again when they change.

A part is a macro of `parts/*.html` whose outermost element carries the part's name as its id. Text of jobs is escaped, and its control
and bidi characters are shown as marks.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import jinja2
import orjson
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from fluster.sizes import format_bytes, format_duration
from fluster.web.pages.terminal import visible

__all__ = ["Rendering"]

_HERE: Final = Path(__file__).parent / "templates"
_BETWEEN: Final = re.compile(r">\s*\n\s*<")


class Rendering:
    def __init__(self, worker_id: str, assets: str) -> None:
        self.assets = assets
        """The version of the static files."""
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
            lstrip_blocks=True, finalize=_harmless, auto_reload=False,
        )  # fmt: skip
        self._templates.filters |= {
            "bytes": format_bytes, "duration": format_duration, "utc": _utc, "words": _words, "json": _json,
        }  # fmt: skip
        self._templates.globals |= {"assets": assets, "worker_id": worker_id}

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        text = self._templates.get_template(template).render(values)
        return HTMLResponse(text, status, {"Cache-Control": "no-store"})

    def part(self, file: str, name: str, *values: Any) -> str:
        """The part `name` of `parts/<file>.html`: Markup, so that a page takes it as it is."""
        module: Any = self._templates.get_template(f"parts/{file}.html").module
        return Markup(_BETWEEN.sub("><", getattr(module, name)(*values).strip()))  # noqa: S704 # what a template escaped


def _harmless(value: Any) -> Any:
    """Names, commands and errors come from outside: what is not yet HTML shows its control and bidi characters as marks."""
    return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _utc(milliseconds: int | None) -> str:
    if milliseconds is None:
        return "–"
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _words(label: str) -> str:
    return label.replace("_", " ")


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
