"""What the log view of the job page asks for: lines by their row, the row of a line or of a time, and the lines that a search hits.

The page holds a few screens of a log, however long it is: it asks for what is seen. A row is the place of a line among all lines of
the chosen sources, those included that are not kept any more; a number, from 1, is its place in the job's whole log.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable
from typing import Any, Final

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from fluster.errors import InvalidArgumentError
from fluster.logs import Hits, HitsFilter, LogEntry, LogFilter
from fluster.web.answer import json_response
from fluster.web.errors import fields_named
from fluster.web.log_filter import check
from fluster.web.pages.terminal import segments
from fluster.web.parameters import integer, moment, sources
from fluster.web.services import Services

__all__ = ["CUT", "LogView", "line_documents"]

CUT: Final = 2_000
"""Characters of a line that are shown before the reader asks for more."""
_WHOLE: Final = 200_000
"""The most that is shown of one line: the download has all."""
_MOST_LINES: Final = 1_000
_HIGHEST: Final = 10**12


class LogView:
    def __init__(self, services: Services) -> None:
        self._manager = services.manager
        self._logs = services.logs

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/job/{job_id}/log", self.lines, methods=["GET"]),
            Route("/job/{job_id}/log/row", self.row, methods=["GET"]),
            Route("/job/{job_id}/log/hits", self.hits, methods=["GET"]),
        ]

    async def lines(self, request: Request) -> Response:
        """`{first, lines}`: `limit` lines of the sources from row `start` on, or fewer; `first` is the row of the first of them."""
        job_id, wanted = self._job(request), sources(request)
        start = integer(request, "start", default=0, low=0, high=_HIGHEST) or 0
        limit = integer(request, "limit", default=200, low=1, high=_MOST_LINES)
        page = await self._logs.query(job_id, LogFilter(sources=wanted, start_line=start, max_lines=limit))
        first = start
        if page.entries and page.entries[0].dropped:  # what was asked for may not be kept any more
            first = await self._logs.row(job_id, page.entries[0].sequence, wanted)
        entries = page.entries if wanted else _without_gap(page.entries)
        cut = _WHOLE if request.query_params.get("whole") else CUT
        return json_response({"first": first, "lines": line_documents(entries, cut)})

    async def row(self, request: Request) -> Response:
        """`{row, number}` of line number `line`, or of the first line that is not older than `at`; behind the last one where there is none."""
        job_id, wanted = self._job(request), sources(request)
        line = integer(request, "line", low=1, high=_HIGHEST)
        if line is not None:
            sequence = line - 1
        elif (since := moment(request, "at")) is not None:
            page = await self._logs.query(job_id, LogFilter(sources=wanted, since_ns=since, max_lines=1))
            sequence = page.entries[0].sequence if page.entries else _HIGHEST
        else:
            raise InvalidArgumentError("line", "it is missing; write the number of a line, or a time as `at`")
        return json_response({"row": await self._logs.row(job_id, sequence, wanted), "number": sequence + 1})

    async def hits(self, request: Request) -> Response:
        """`{lines, more}`: the numbers of the lines that `grep` hits, the last ones before number `before`, or the nearest behind `after`."""
        job_id = self._job(request)
        wanted = LogFilter(sources=sources(request), regex=request.query_params.get("grep") or None)
        if wanted.regex is None:
            raise InvalidArgumentError("grep", "it is missing; write what to search for")
        before = integer(request, "before", low=1, high=_HIGHEST)
        after = integer(request, "after", low=0, high=_HIGHEST)
        with fields_named({"regex": "grep"}):
            check(wanted)
            stop = threading.Event()
            asked = HitsFilter(
                wanted,
                before=None if before is None else before - 1,
                after=None if after is None else after - 1,
                stop=stop,
            )
            found = await _while_waited_for(request, stop, self._logs.hits(job_id, asked))
        return json_response({"lines": [line + 1 for line in found.lines], "more": found.more})

    def _job(self, request: Request) -> str:
        """Raises NotFoundError."""
        return self._manager.get(request.path_params["job_id"]).id


async def _while_waited_for(request: Request, stop: threading.Event, work: Awaitable[Hits]) -> Hits:
    """A search that nobody waits for any more stops: the reader typed on."""

    async def notice() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        stop.set()

    refused: InvalidArgumentError | None = None
    found = Hits([], more=False)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(notice)
        try:
            found = await work
        except InvalidArgumentError as error:  # as it is, not in a group
            refused = error
        tasks.cancel_scope.cancel()
    if refused is not None:
        raise refused
    return found


def _without_gap(entries: list[LogEntry]) -> list[LogEntry]:
    """Those whose numbers follow each other: behind the build's lines some of the job's may not be kept any more."""
    for place in range(1, len(entries)):
        if entries[place].sequence > entries[place - 1].sequence + 1:
            return entries[:place]
    return entries


def line_documents(entries: list[LogEntry], cut: int = CUT) -> list[dict[str, Any]]:
    """The lines of these entries as the page shows them; of a line in several entries the first ones, as one."""
    lines: list[LogEntry] = []
    for entry in entries:
        last = lines[-1] if lines else None
        if last is None or last.sequence != entry.sequence:
            lines.append(entry)
        elif last.source == entry.source:
            lines[-1] = last._replace(data=last.data + entry.data, truncated=False)
        else:  # a part of the other stream's line: what has an end is shown
            lines[-1] = entry._replace(dropped=last.dropped + entry.dropped)
    return [_line_document(entry, cut) for entry in lines]


def _line_document(entry: LogEntry, cut: int) -> dict[str, Any]:
    """`size` is that of the whole line in bytes where it is cut, else 0. `partial`: its beginning or its end is not kept."""
    text = entry.data[: 4 * cut].decode("utf-8", "replace")
    return {
        "number": entry.sequence + 1,
        "ns": str(entry.timestamp_ns),
        "source": entry.source,
        "pieces": segments(text[:cut]),
        "size": len(entry.data) if len(text) > cut else 0,
        "dropped": entry.dropped,
        "partial": entry.truncated and not entry.goes_on,
    }
