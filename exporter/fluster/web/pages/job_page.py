"""The page of one job, and its parts as they are sent again when they change. What it says stands in modules of its own."""

from __future__ import annotations

from typing import Final

import anyio
from starlette.requests import Request
from starlette.responses import Response

from fluster.errors import NotFoundError
from fluster.logs import LogFilter
from fluster.web.followers import Followers
from fluster.web.output import OutputLists
from fluster.web.pages.fact_sheets import FactSheets
from fluster.web.pages.job_events import JobEvents, log_counts
from fluster.web.pages.job_parts import JobParts
from fluster.web.pages.live import stream
from fluster.web.pages.log_view import line_documents
from fluster.web.pages.rendering import Rendering
from fluster.web.services import Services

__all__ = ["JobPages"]

_LINES: Final = 200
"""Log lines of the first view, rendered by the server."""


class JobPages:
    def __init__(self, services: Services, rendering: Rendering, followers: Followers) -> None:
        self._manager, self._logs = services.manager, services.logs
        self._services = services
        self._rendering = rendering
        self._followers = followers
        threads = anyio.CapacityLimiter(4)
        self._sheets = FactSheets(rendering, threads)
        self._outputs = OutputLists(services.settings.state_dir / "work", threads)

    async def show(self, request: Request) -> Response:
        try:
            job = self._manager.get(request.path_params["job_id"])
        except NotFoundError as error:
            return self._rendering.page("missing.html", 404, message=str(error))
        log = await self._logs.query(job.id, LogFilter(tail=_LINES))
        sheet = await self._sheets.get(job)
        counts = log_counts(job.logs, complete=job.state.terminal)
        return self._rendering.page(
            "job.html", job=job, command=sheet.command, parts=await self._parts().all(job), log_counts=counts, entries=line_documents(log.entries)
        )  # fmt: skip

    async def events(self, request: Request) -> Response:
        job = self._manager.get(request.path_params["job_id"])
        events = JobEvents(self._services, self._parts(), self._rendering.assets)
        return stream(self._followers, lambda: events.follow(job.id))

    def _parts(self) -> JobParts:
        return JobParts(self._services, self._rendering, self._sheets, self._outputs)
