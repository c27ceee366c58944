"""Logs over REST: pages, a stream of server-sent events, a download."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from fluster.errors import NotFoundError
from fluster.logs import Download, LogEntry, LogFilter
from fluster.web.answer import json_response
from fluster.web.api.documents import entry_document
from fluster.web.events import EventStream
from fluster.web.followers import Followers
from fluster.web.parameters import byte_range, log_filter, sources
from fluster.web.services import Services

__all__ = ["DownloadResponse", "Logs"]


class Logs:
    def __init__(self, services: Services) -> None:
        self._manager = services.manager
        self._logs = services.logs
        self._followers = Followers()

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
        wanted = log_filter(request, resume=request.headers.get("last-event-id", ""))
        await self._logs.check(job_id, wanted)
        self._followers.join()
        return EventStream(self._events(job_id, wanted), on_close=self._followers.leave)

    async def _events(self, job_id: str, wanted: LogFilter) -> AsyncGenerator[bytes, None]:
        batches = self._logs.follow(job_id, wanted, lambda: self._ends(job_id))
        async with aclosing(batches):
            async for batch in batches:
                yield batch.made(_events)
        if self._over(job_id):
            yield b"event: end\ndata: {}\n\n"

    def _over(self, job_id: str) -> bool:
        try:
            return self._manager.get(job_id).state.terminal
        except NotFoundError:  # forgotten while it was followed: nothing more comes
            return True

    def _ends(self, job_id: str) -> bool:
        """The log is complete, or the worker closes and its followers come back later."""
        return self._manager.closing.is_set() or self._over(job_id)

    async def download(self, request: Request) -> Response:
        job_id = self._manager.get(request.path_params["job_id"]).id
        wanted = sources(request)
        name = "-".join([job_id, *sorted(wanted)])
        download = await self._logs.download(job_id, wanted)
        headers = {"Content-Disposition": f'attachment; filename="{name}.log"'}
        # While the job writes, the size that is known now is not the log's.
        size = download.size if self._over(job_id) else None
        span = byte_range(request.headers.get("range"), size) if size is not None else None
        if size is not None:
            headers["Accept-Ranges"] = "bytes"
            headers["Content-Length"] = str(size if span is None else len(span))
        if span is None:
            blocks, status = download.blocks(), 200
        elif span:
            blocks, status = download.blocks(span.start, span.stop), 206
            headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{size}"
        else:
            download.close()
            return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
        return DownloadResponse(download, blocks, status, headers=headers)


class DownloadResponse(StreamingResponse):
    """Closes the download however it ends: of a reader that has gone at once no block is asked for."""

    media_type = "text/plain"

    def __init__(
        self, download: Download, blocks: AsyncGenerator[bytes, None], status: int, *, headers: dict[str, str]
    ) -> None:
        super().__init__(blocks, status, headers=headers)
        self._download = download
        self._blocks = blocks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with aclosing(self._blocks):
                await super().__call__(scope, receive, send)
        finally:
            self._download.close()


def _events(entries: list[LogEntry]) -> bytes:
    return b"".join(map(_event, entries))


def _event(entry: LogEntry) -> bytes:
    return b"id: " + entry.cursor.encode() + b"\ndata: " + orjson.dumps(entry_document(entry)) + b"\n\n"
