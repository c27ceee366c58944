"""The log-in of a worker with a token: it is kept in a cookie that opens reading only, see fluster.web.security."""

from __future__ import annotations

import hmac
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fluster.web.pages.rendering import Rendering
from fluster.web.security import COOKIE

__all__ = ["Login"]


class Login:
    def __init__(self, token: str | None, rendering: Rendering) -> None:
        self._token = token
        self._rendering = rendering

    async def answer(self, request: Request) -> Response:
        token = self._token
        if token is None:
            return RedirectResponse("/", 303)
        if request.method == "GET":
            return self._rendering.page("login.html", wrong=False)
        given = parse_qs((await request.body()).decode("utf-8", "replace")).get("token", [""])[0].strip()
        if not hmac.compare_digest(given.encode(), token.encode()):
            return self._rendering.page("login.html", 401, wrong=True)
        response = RedirectResponse("/", 303)
        response.set_cookie(
            COOKIE, token, httponly=True, samesite="strict", max_age=30 * 86400, secure=request.url.scheme == "https"
        )
        return response
