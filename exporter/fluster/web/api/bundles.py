"""Uploads of bundles over REST."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from fluster.errors import NotFoundError
from fluster.web.answer import json_response
from fluster.web.services import Services

__all__ = ["Bundles"]


class Bundles:
    def __init__(self, services: Services) -> None:
        self._bundles = services.bundles

    async def put(self, request: Request) -> Response:
        """The body is the zip file itself."""
        return json_response({"sha256": await self._bundles.put(request.stream())}, 201)

    async def head(self, request: Request) -> Response:
        """Is a bundle of this content here? Saves an upload."""
        if not self._bundles.has(request.path_params["sha256"]):
            raise NotFoundError("there is no such bundle here; upload it by PUT /api/bundles")
        return json_response({"sha256": request.path_params["sha256"]})
