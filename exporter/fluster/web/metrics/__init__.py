"""GET /metrics: text or OpenMetrics by what the scraper accepts, gzip where asked for. Rendered in a thread of its own."""

from __future__ import annotations

import gzip

import anyio
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from fluster.web.services import Services

__all__ = ["routes"]

_LEVEL = 1
"""gzip's fastest: the body shrinks tenfold already, and a scrape should cost little."""


def routes(services: Services) -> list[BaseRoute]:
    limiter = anyio.CapacityLimiter(2)

    def render(accept: str, *, zipped: bool) -> tuple[bytes, str]:
        encode, content_type = choose_encoder(accept)
        body = encode(services.exposition.registry)
        return (gzip.compress(body, _LEVEL) if zipped else body), content_type

    async def metrics(request: Request) -> Response:
        zipped = "gzip" in request.headers.get("accept-encoding", "")
        accept = request.headers.get("accept", "")
        body, content_type = await anyio.to_thread.run_sync(lambda: render(accept, zipped=zipped), limiter=limiter)
        headers = {"Content-Type": content_type, "Vary": "Accept, Accept-Encoding", "Cache-Control": "no-store"}
        return Response(body, headers={**headers, "Content-Encoding": "gzip"} if zipped else headers)

    return [Route("/metrics", metrics, methods=["GET"])]
