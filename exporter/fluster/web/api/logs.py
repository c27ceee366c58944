"""Logs over REST: pages, a stream of server-sent events, a download."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fluster.errors import ResourceExhaustedError
from fluster.logs import LogEntry, LogFilter
from fluster.logs.position import parse_cursor
from fluster.logs.query import matcher
from fluster.web.api.answer import json_response
from fluster.web.api.documents import entry_document
from fluster.web.api.events import EventStream
from fluster.web.api.parameters import log_filter, sources
from fluster.web.services import Services

__all__ = ["Logs"]

_MAX_FOLLOWERS: Final = 200


class Logs:
    def __init__(self, services: Services) -> None:
        self._manager = services.manager
        self._logs = services.logs
        self._followers = 0

    async def page(self, request: Request) -> Response:
        job_id = self._manager.get(request.path_params["job_id"]).id
        page = await self._logs.query(job_id, log_filter(request))
        headers = {}
        if page.next_cursor:
            kept = [(n, v) for n, v in request.query_params.multi_items() if n not in {"cursor", "tail", "start"}]
            headers["Link"] = (
                f'</api/jobs/{job_id}/logs?{urlencode([*kept, ("cursor", page.next_cursor)])}>; rel="next"'
            )
        return json_response([entry_document(entry) for entry in page.entries], headers=headers)

    async def stream(self, request: Request) -> Response:
        """Each event's id is the position behind it: a browser that lost its connection resumes with Last-Event-ID."""
        job_id = self._manager.get(request.path_params["job_id"]).id
        wanted = log_filter(request)
        if last := request.headers.get("last-event-id"):
            wanted = replace(wanted, cursor=last)
        matcher(wanted)  # bad filters are refused before the stream begins
        if wanted.cursor:
            parse_cursor(wanted.cursor)
        if self._followers >= _MAX_FOLLOWERS:
            raise ResourceExhaustedError(f"{_MAX_FOLLOWERS} followers are there already; close one, or read by pages")
        return EventStream(self._events(job_id, wanted))

    async def _events(self, job_id: str, wanted: LogFilter) -> AsyncIterator[bytes]:
        self._followers += 1
        try:
            async for batch in self._logs.follow(job_id, wanted, lambda: self._ends(job_id)):
                yield b"".join(map(_event, batch))
            if self._over(job_id):
                yield b"event: end\ndata: {}\n\n"
        finally:
            self._followers -= 1

    def _over(self, job_id: str) -> bool:
        return self._manager.get(job_id).state.terminal

    def _ends(self, job_id: str) -> bool:
        """The log is complete, or the worker closes and its followers come back later."""
        return self._manager.closing.is_set() or self._over(job_id)

    async def download(self, request: Request) -> Response:
        job_id = self._manager.get(request.path_params["job_id"]).id
        wanted = sources(request)
        name = "-".join([job_id, *sorted(wanted)])
        return StreamingResponse(
            self._logs.download(job_id, wanted),
            headers={"Content-Disposition": f'attachment; filename="{name}.log"'},
            media_type="text/plain; charset=utf-8",
        )


def _event(entry: LogEntry) -> bytes:
    return b"id: " + entry.cursor.encode() + b"\ndata: " + orjson.dumps(entry_document(entry)) + b"\n\n"
