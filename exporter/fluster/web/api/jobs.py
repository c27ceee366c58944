"""Jobs over REST: list, one, kill, counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import anyio
from starlette.requests import Request
from starlette.responses import Response

from fluster.job import Job, Sample
from fluster.web.answer import json_response
from fluster.web.api.documents import job_document, job_row, stats_document
from fluster.web.parameters import integer, states
from fluster.web.services import Services

__all__ = ["Jobs"]


class Jobs:
    def __init__(self, services: Services) -> None:
        self._manager = services.manager
        self._threads = anyio.CapacityLimiter(4)

    async def stats(self, _request: Request) -> Response:
        manager = self._manager
        return json_response(
            {
                **stats_document(manager.counts()),
                "slots": manager.slots,
                "slots_used": manager.slots_used,
                "queue_length": manager.queue_length,
                "queue_limit": manager.queue_limit,
            }
        )

    async def list(self, request: Request) -> Response:
        limit = integer(request, "limit", default=100, low=1, high=1000) or 100
        text = request.query_params.get("text", "")
        page = self._manager.list(
            states=states(request), text=text, limit=limit, cursor=request.query_params.get("cursor", "")
        )
        headers = {}
        if page.next_cursor:
            query = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
            address = f"/api/jobs?{urlencode([*query, ('cursor', page.next_cursor)])}"
            headers["Link"] = f'<{address}>; rel="next"'
        return json_response([job_row(job) for job in page.jobs], headers=headers)

    async def show(self, request: Request) -> Response:
        job = self._manager.get(request.path_params["job_id"])
        return json_response(await self._document(job, await self._manager.samples(job.id)))

    async def kill(self, request: Request) -> Response:
        """Asked for when this answers; the job's state says when it is done."""
        grace_ms = integer(request, "grace_ms", low=0, high=3_600_000)
        job = await self._manager.kill(request.path_params["job_id"], None if grace_ms is None else grace_ms / 1000)
        return json_response(await self._document(job), 202)

    async def _document(self, job: Job, samples: Sequence[Sample] = ()) -> dict[str, Any]:
        """In a thread: masking a long command costs 100 ms where it is asked for the first time."""
        return await anyio.to_thread.run_sync(job_document, job, samples, limiter=self._threads)
