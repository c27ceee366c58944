"""Errors on their way out: one table from Fluster's codes to HTTP and to Connect, and never a traceback."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import orjson
from connectrpc.code import Code as ConnectCode
from loguru import logger
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from fluster.errors import Code, InvalidArgumentError, JobError, RequestError

__all__ = ["CONNECT_CODES", "HTTP_STATUS", "RPC_PREFIX", "error_response", "fields_named", "handlers", "refusal"]

RPC_PREFIX: Final = "/fluster.v1.WorkerService/"

HTTP_STATUS: Final = {
    Code.INVALID_ARGUMENT: 422,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.FAILED_PRECONDITION: 409,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.UNAUTHENTICATED: 401,
    Code.PERMISSION_DENIED: 403,
    Code.UNAVAILABLE: 503,
    Code.PAYLOAD_TOO_LARGE: 413,
}
CONNECT_CODES: Final[dict[Code, ConnectCode]] = {
    **{code: ConnectCode(code.value) for code in Code if code is not Code.PAYLOAD_TOO_LARGE},
    Code.PAYLOAD_TOO_LARGE: ConnectCode.RESOURCE_EXHAUSTED,
}
_BY_STATUS: Final = {
    400: "invalid_argument", 401: "unauthenticated", 403: "permission_denied", 404: "not_found", 405: "method_not_allowed",
    413: "payload_too_large", 421: "misdirected_request", 429: "resource_exhausted", 431: "payload_too_large",
    503: "unavailable",
}  # fmt: skip


def error_response(
    status: int, message: str, code: str | None = None, field: str | None = None, headers: dict[str, str] | None = None
) -> Response:
    """`{"error": message, "code": code}`, with the field's name where there is one."""
    document: dict[str, Any] = {"error": message, "code": code or _BY_STATUS.get(status, "internal")}
    if field:
        document["field"] = field
    return Response(orjson.dumps(document), status, media_type="application/json", headers=headers)


def refusal(path: str, status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """A request turned away before it reached its door: in the words of REST, and of Connect where that was asked."""
    if not path.startswith(RPC_PREFIX):
        return error_response(status, message, headers=headers)
    code = {413: "resource_exhausted", 421: "permission_denied"}.get(status) or _BY_STATUS[status]
    body = orjson.dumps({"code": code, "message": message, "error": message})
    return Response(body, status, media_type="application/json", headers=headers)


@contextmanager
def fields_named(names: Mapping[str, str]) -> Iterator[None]:
    """A refusal names the field as this door calls it; `names` maps the inner name to the door's."""
    try:
        yield
    except InvalidArgumentError as error:
        name = names.get(error.field or "")
        if name is None:
            raise
        raise InvalidArgumentError(name, str(error).removeprefix(f"{error.field}: ")) from None


async def _request_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)  # noqa: S101 # registered for it
    headers = {"WWW-Authenticate": "Bearer"} if error.code is Code.UNAUTHENTICATED else None
    return error_response(HTTP_STATUS[error.code], str(error), error.code.value, error.field, headers)


async def _job_error(_request: Request, error: Exception) -> Response:
    return error_response(503, str(error), "unavailable")


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 # registered for it
    sentences = {
        404: f"there is nothing at {request.url.path[:200]}; GET /api/openapi.json lists what there is",
        405: f"{request.method} is not for {request.url.path[:200]}",
    }
    return error_response(
        error.status_code, sentences.get(error.status_code, error.detail), headers=dict(error.headers or {})
    )


async def _left(_request: Request, _error: Exception) -> Response:
    """Nobody reads this answer: the caller went away while its body was read, which is no fault of the worker."""
    return error_response(400, "the request ended before its body was complete")


async def _unknown_error(request: Request, error: Exception) -> Response:
    logger.opt(exception=error).error("{} {} failed", request.method, request.url.path)
    return error_response(500, "the worker failed on this request; its own log has the details", "internal")


handlers: Final[dict[Any, Any]] = {
    RequestError: _request_error,
    JobError: _job_error,
    ClientDisconnect: _left,
    HTTPException: _http_error,
    Exception: _unknown_error,
}
