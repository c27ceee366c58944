"""Who may come in: Host and Origin, the bearer token, the size of bodies, and the headers that every answer carries.

A browser sends no credentials by itself: the token travels in the Authorization header only, or, for the pages of a worker with a
token, in a SameSite=Strict cookie that opens nothing but reading. Whatever changes something needs the header (or, on a worker without
token, is refused when it comes from another origin): a foreign page cannot drive a worker on localhost.
"""

from __future__ import annotations

import hmac
import ipaddress
from typing import Final
from urllib.parse import urlsplit

from connectrpc.code import Code as ConnectCode
from connectrpc.errors import ConnectError
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fluster.config import Settings
from fluster.errors import PayloadTooLargeError
from fluster.sizes import format_bytes
from fluster.web.errors import RPC_PREFIX, refusal

__all__ = ["COOKIE", "Security"]

COOKIE: Final = "fluster_token"
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Security:
    """Pure ASGI: streams pass through it untouched."""

    def __init__(self, app: ASGIApp, *, settings: Settings, token: str | None, metrics_token: str | None) -> None:
        self._app = app
        self._settings = settings
        self._token = token
        self._metrics_token = metrics_token
        self._names = settings.host_names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    answer.setdefault(name, value)
            await send(message)

        refused = self._refusal(scope, headers)
        if refused is not None:
            status, sentence = refused
            extra = {"WWW-Authenticate": "Bearer"} if status == 401 else None
            if status == 401 and "text/html" in headers.get("accept", "") and scope["method"] == "GET":
                extra = {"Location": "/login", "WWW-Authenticate": "Bearer"}
                status = 303
            await refusal(scope["path"], status, sentence, extra)(scope, receive, send_with_headers)
            return
        await self._app(scope, self._bounded(scope, headers, receive), send_with_headers)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        """(status, sentence) where the request must not come in."""
        if not self._host_is_ours(headers.get("host", "")):
            return 421, "the Host header names another machine; use the address that the worker printed at its start"
        changes = scope["method"] not in _READING
        origin = headers.get("origin")
        if changes and origin is not None and origin.partition("://")[2] != headers.get("host", ""):
            return 403, "a page from another origin may not drive this worker"
        if changes and headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
            return 403, "a page from another site may not drive this worker"
        size = headers.get("content-length", "0")
        limit = self._limit(scope)
        if not (size.isascii() and size.isdigit()):
            return 400, "the Content-Length header is not a number"
        if int(size) > limit:
            return 413, f"the request is larger than {format_bytes(limit)}"
        return self._unauthenticated(scope, headers, changes=changes)

    def _host_is_ours(self, host: str) -> bool:
        """Bound to loopback, only loopback's names are ours: a name that someone else's DNS points here is not.

        Elsewhere any name is, but where the allowed ones are listed: a container's port may be published on loopback alone.
        """
        if not (self._settings.loopback or self._names):
            return True
        try:
            name = urlsplit(f"//{host}").hostname or ""
            return name == "localhost" or name in self._names or ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False

    def _unauthenticated(self, scope: Scope, headers: Headers, *, changes: bool) -> tuple[int, str] | None:
        path = scope["path"]
        if self._token is None or path in {"/healthz", "/login"} or path.startswith("/static/"):
            return None
        kind, _, given = headers.get("authorization", "").partition(" ")
        given = given.strip() if kind.lower() == "bearer" else ""
        if _same(given, self._token):
            return None
        if path == "/metrics" and self._metrics_token is not None and _same(given, self._metrics_token):
            return None
        if not given:
            # Lenient: cookies of other programs on this host come along, and some have names that http.cookies refuses.
            cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE)
            # The cookie opens reading; a change needs a header that no foreign page can send without asking.
            if cookie is not None and _same(cookie, self._token) and (not changes or "x-fluster" in headers):
                return None
        return 401, "this worker needs a token: send it as 'Authorization: Bearer TOKEN', or set FLUSTER_TOKEN"

    def _limit(self, scope: Scope) -> int:
        return self._settings.max_bundle_size if scope["path"] == "/api/bundles" else self._settings.max_request

    def _bounded(self, scope: Scope, headers: Headers, receive: Receive) -> Receive:
        """Count a body that did not say its size."""
        if "content-length" in headers or scope["method"] in _READING:
            return receive
        left = limit = self._limit(scope)

        async def counted() -> Message:
            nonlocal left
            message = await receive()
            if message["type"] == "http.request":
                left -= len(message.get("body", b""))
                if left < 0:
                    sentence = f"the request is larger than {format_bytes(limit)}"
                    if scope["path"].startswith(RPC_PREFIX):
                        raise ConnectError(ConnectCode.RESOURCE_EXHAUSTED, sentence)
                    raise PayloadTooLargeError(sentence)
            return message

        return counted


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())
