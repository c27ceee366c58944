"""Every REST route with its description: the router and the OpenAPI document are made from the same list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from fluster.web.answer import json_response
from fluster.web.api.bundles import Bundles
from fluster.web.api.files import Files
from fluster.web.api.health import Health
from fluster.web.api.jobs import Jobs
from fluster.web.api.logs import Logs
from fluster.web.api.openapi import openapi_document
from fluster.web.services import Services

__all__ = ["ApiRoute", "api_routes", "routes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRoute:
    """One operation. `answer` names a schema of openapi.py, or is "" for what is not JSON."""

    method: str
    path: str
    handler: Callable[[Request], Awaitable[Response]]
    summary: str
    answer: str
    status: int = 200
    media_type: str = "application/json"
    parameters: tuple[str, ...] = ()
    errors: tuple[int, ...] = ()
    ranges: bool = False
    """One Range of the answer may be asked for."""
    extra: dict[str, Any] = field(default_factory=dict)


def api_routes(services: Services) -> list[ApiRoute]:
    jobs, logs, files = Jobs(services), Logs(services), Files(services)
    bundles, health = Bundles(services), Health(services)
    job, log_filter = "/api/jobs/{job_id}", ("source", "since", "until", "grep", "tail", "start", "limit", "cursor")
    return [
        ApiRoute(method="GET", path="/api/stats", handler=jobs.stats, summary="How many jobs are in each state.", answer="Stats"),
        ApiRoute(
            method="GET", path="/api/jobs", handler=jobs.list, summary="Jobs, newest first; the next page in the Link header.",
            answer="JobList", parameters=("state", "text", "jobs_limit", "cursor"), errors=(422,),
        ),
        ApiRoute(method="GET", path=job, handler=jobs.show, summary="One job, with the samples of its last minute.", answer="Job", errors=(404,)),
        ApiRoute(
            method="POST", path=f"{job}/kill", handler=jobs.kill, summary="Ask for the end of a job.", answer="Job", status=202,
            parameters=("grace_ms",), errors=(403, 404, 422),
        ),
        ApiRoute(
            method="GET", path=f"{job}/logs", handler=logs.page, summary="Log entries; the next page in the Link header.",
            answer="LogEntries", parameters=log_filter, errors=(404, 422),
        ),
        ApiRoute(
            method="GET", path=f"{job}/logs/stream", handler=logs.stream,
            summary="Log entries as server-sent events, resumable by Last-Event-ID; a last event `end` when the log is complete.",
            answer="", media_type="text/event-stream", parameters=log_filter, errors=(404, 422, 429),
        ),
        ApiRoute(
            method="GET", path=f"{job}/logs/download", handler=logs.download, summary="The log as the job wrote it, without times; in ranges once the job is over.", answer="",
            media_type="text/plain", parameters=("source",), errors=(404, 422), ranges=True,
        ),
        ApiRoute(method="GET", path=f"{job}/files", handler=files.list, summary="The files in the job's output directory, at most 10,000.", answer="Files", errors=(404,)),
        ApiRoute(
            method="GET", path=f"{job}/files/{{path:path}}", handler=files.show, summary="One output file.", answer="",
            media_type="application/octet-stream", errors=(404,),
        ),
        ApiRoute(
            method="PUT", path="/api/bundles", handler=bundles.put, summary="Upload a bundle: the body is a zip file.", answer="Bundle",
            status=201, errors=(403, 413, 422), extra={"requestBody": {"required": True, "content": {"application/zip": {}}}},
        ),
        ApiRoute(method="GET", path="/api/bundles/{sha256}", handler=bundles.head, summary="Is this bundle here?", answer="Bundle", errors=(404,)),
        ApiRoute(method="GET", path="/healthz", handler=health.healthz, summary="The process answers.", answer="Health"),
        ApiRoute(method="GET", path="/readyz", handler=health.readyz, summary="The worker can run jobs.", answer="Ready", errors=(503,)),
    ]  # fmt: skip


def routes(services: Services) -> list[BaseRoute]:
    operations = api_routes(services)
    document = openapi_document(operations)

    async def openapi(_request: Request) -> Response:
        return json_response(document)

    return [
        Route("/api/openapi.json", openapi, methods=["GET"]),
        *(Route(each.path, each.handler, methods=[each.method]) for each in operations),
    ]
