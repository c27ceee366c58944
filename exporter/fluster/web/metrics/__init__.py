"""GET /metrics: text or OpenMetrics by what the scraper accepts, gzip where asked for. Rendered in a thread of its own."""

from __future__ import annotations

import anyio
from isal import igzip
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from fluster.collectors import Format
from fluster.web.metrics.negotiation import accepts_gzip, choose_format
from fluster.web.services import Services

__all__ = ["routes"]

_LEVEL = 1
"""Of isal, whose level 1 packs as well as zlib's in a tenth of the time: a scrape should cost little."""


def routes(services: Services) -> list[BaseRoute]:
    limiter = anyio.CapacityLimiter(2)

    def render(form: Format, *, zipped: bool) -> bytes:
        body = services.exposition.render(form)
        return igzip.compress(body, _LEVEL) if zipped else body

    async def metrics(request: Request) -> Response:
        form = choose_format(request.headers.get("accept", ""))
        zipped = accepts_gzip(request.headers.get("accept-encoding", ""))
        body = await anyio.to_thread.run_sync(lambda: render(form, zipped=zipped), limiter=limiter)
        headers = {"Content-Type": form.value, "Vary": "Accept, Accept-Encoding", "Cache-Control": "no-store"}
        return Response(body, headers={**headers, "Content-Encoding": "gzip"} if zipped else headers)

    return [Route("/metrics", metrics, methods=["GET"])]
