"""The list of jobs: its filter, its pages, and its parts as they are sent again when they change."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

import anyio
from starlette.requests import Request
from starlette.responses import Response

from fluster.errors import InvalidArgumentError
from fluster.job import Job, JobState
from fluster.manager import JobPage
from fluster.web.followers import Followers
from fluster.web.pages.live import Changes, hello, stream
from fluster.web.pages.machine import Machine
from fluster.web.pages.rendering import Rendering
from fluster.web.pages.row import row
from fluster.web.services import Services

__all__ = ["JobsPage"]

_LIMIT: Final = 50
_SECONDS: Final = 0.5
_KEPT: Final = 1000
"""Rows that are kept for all readers; more than a few pages are rarely read at once."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the address asks for."""

    states: tuple[JobState, ...]
    text: str
    cursor: str

    @staticmethod
    def of(request: Request) -> _Wanted:
        asked = request.query_params
        states = tuple(state for state in JobState if state and state.label in asked.getlist("state"))
        return _Wanted(states, asked.get("text", "")[:200], asked.get("cursor", ""))

    def address(self, cursor: str) -> str:
        """Of the same list at another place."""
        query = [("state", state.label) for state in self.states]
        query += [(name, value) for name, value in (("text", self.text), ("cursor", cursor)) if value]
        return f"/?{urlencode(query)}" if query else "/"


class JobsPage:
    def __init__(self, services: Services, rendering: Rendering, followers: Followers) -> None:
        self._manager = services.manager
        self._rendering = rendering
        self._followers = followers
        self._machine = Machine(services)
        self._rows: dict[str, tuple[Job, str]] = {}

    async def show(self, request: Request) -> Response:
        wanted = _Wanted.of(request)
        page = self._page(wanted)
        rows = [self._row(job, fresh=True) for job in page.jobs]
        return self._rendering.page("jobs.html", rows=rows, text=wanted.text, parts=self._parts(wanted, page))

    async def events(self, request: Request) -> Response:
        wanted = _Wanted.of(request)
        return stream(self._followers, lambda: self._events(wanted))

    async def _events(self, wanted: _Wanted) -> AsyncGenerator[bytes, None]:
        changes = Changes()
        yield hello(self._rendering.assets)
        while not self._manager.closing.is_set():
            page = self._page(wanted)
            parts = self._parts(wanted, page)
            parts |= {f"row-{job.id}": self._row(job) for job in page.jobs}
            # The order comes first: it makes room for the rows that are new.
            if said := changes.value("order", [f"row-{job.id}" for job in page.jobs]) + changes.parts(parts):
                yield said
            with anyio.move_on_after(_SECONDS):
                await self._manager.closing.wait()

    def _page(self, wanted: _Wanted) -> JobPage:
        try:
            return self._manager.list(states=wanted.states, text=wanted.text, limit=_LIMIT, cursor=wanted.cursor)
        except InvalidArgumentError:  # a cursor that nobody gave: the newest are a better answer than none
            return self._manager.list(states=wanted.states, text=wanted.text, limit=_LIMIT)

    def _parts(self, wanted: _Wanted, page: JobPage) -> dict[str, str]:
        """All but the rows."""
        counts = self._manager.counts()
        chosen = {state.label for state in wanted.states}
        newer = None if page.newer_cursor is None else wanted.address(page.newer_cursor)
        older = wanted.address(page.next_cursor) if page.next_cursor else None
        part = self._rendering.part
        return {
            "title": part("jobs", "title", counts[JobState.RUNNING], counts[JobState.PENDING]),
            "machine": part("jobs", "machine", self._machine.facts()),
            "states": part("jobs", "states", {state.label: count for state, count in counts.items()}, chosen),
            "empty": part("jobs", "empty", bool(page.jobs), bool(chosen or wanted.text or wanted.cursor)),
            "paging": part("jobs", "paging", newer, older),
        }

    def _row(self, job: Job, *, fresh: bool = False) -> str:
        """A live row's duration is as of its last change: in the browser it ticks. `fresh` is as of now, for those that do not."""
        kept = self._rows.get(job.id)
        if kept is not None and (kept[0] is job or (kept[0] == job and not fresh)):
            return kept[1]
        html = self._rendering.part("jobs", "row", row(job, time.time_ns()))
        self._rows.pop(job.id, None)
        self._rows[job.id] = (job, html)
        if len(self._rows) > _KEPT:
            del self._rows[next(iter(self._rows))]
        return html
