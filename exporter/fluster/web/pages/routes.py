"""Routes of the pages, their static files, and the log-in of a worker with a token."""

from __future__ import annotations

import hashlib
import hmac
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import jinja2
import psutil
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from fluster.errors import InvalidArgumentError, NotFoundError
from fluster.job import Job, JobState
from fluster.logs import LogFilter
from fluster.sizes import format_bytes, format_duration
from fluster.version import __version__
from fluster.web.pages import views
from fluster.web.pages.log_view import LogView, line_documents
from fluster.web.pages.terminal import visible
from fluster.web.security import COOKIE
from fluster.web.services import Services

__all__ = ["routes"]

_HERE = Path(__file__).parent
_LIMIT = 100
_LINES = 200
"""Log lines of the first view, rendered by the server."""
_AROUND_MS = 60_000
"""What the link to Grafana shows before and after a job: scrapes come some seconds late."""


def routes(services: Services) -> list[BaseRoute]:
    pages = _Pages(services)
    return [
        *LogView(services).routes(),
        Route("/", pages.jobs, methods=["GET"]),
        Route("/job/{job_id}", pages.job, methods=["GET"]),
        Route("/machine", pages.machine, methods=["GET"]),
        Route("/login", pages.login, methods=["GET", "POST"]),
        Route("/static/{name}", pages.static, methods=["GET"]),
    ]


class _Pages:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._static = {path.name: path for path in (_HERE / "static").iterdir() if path.is_file()}
        self._version = hashlib.sha256(
            b"".join(path.read_bytes() for path in sorted(self._static.values()))
        ).hexdigest()[:12]
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
            lstrip_blocks=True, finalize=_harmless,
        )  # fmt: skip
        self._templates.filters |= {"bytes": format_bytes, "duration": format_duration, "utc": _utc}

    def _page(self, template: str, status: int = 200, **values: Any) -> Response:
        text = self._templates.get_template(template).render(
            version=__version__, assets=self._version, worker_id=self._services.settings.worker_id, **values
        )
        return HTMLResponse(text, status, {"Cache-Control": "no-store"})

    async def jobs(self, request: Request) -> Response:
        states = [state for state in JobState if state and state.label in request.query_params.getlist("state")]
        text, cursor = request.query_params.get("text", ""), request.query_params.get("cursor", "")
        try:
            page = self._services.manager.list(states=states, text=text, limit=_LIMIT, cursor=cursor)
        except InvalidArgumentError:
            page = self._services.manager.list(states=states, text=text, limit=_LIMIT)
        now = time.time_ns()
        kept = [("state", state.label) for state in states] + ([("text", text)] if text else [])
        return self._page(
            "jobs.html",
            rows=[_row(job, now) for job in page.jobs],
            counts={state.label: count for state, count in self._services.manager.counts().items()},
            chosen={state.label for state in states},
            text=text,
            older=urlencode([*kept, ("cursor", page.next_cursor)]) if page.next_cursor else "",
            first=not cursor,
            machine=self._machine(),
        )

    async def machine(self, _request: Request) -> Response:
        """The worker line by itself, for the list that keeps itself up to date."""
        return JSONResponse(self._machine(), headers={"Cache-Control": "no-store"})

    def _machine(self) -> dict[str, str]:
        manager, info = self._services.manager, self._services.runtime.info
        memory, disk = psutil.virtual_memory(), shutil.disk_usage(self._services.settings.state_dir)
        return {
            "Runtime": f"{info.name} {info.engine_version}".strip(),
            "Slots": f"{manager.slots_used} of {manager.slots} used",
            "Queue": f"{manager.queue_length} waiting",
            "CPU": f"{psutil.getloadavg()[0]:.2f} load, {psutil.cpu_count()} cores",
            "Memory": f"{format_bytes(memory.total - memory.available)} of {format_bytes(memory.total)}",
            "Disk": f"{format_bytes(disk.free)} free",
        }

    async def job(self, request: Request) -> Response:
        try:
            job = self._services.manager.get(request.path_params["job_id"])
        except NotFoundError as error:
            return self._page("missing.html", 404, message=str(error))
        now = time.time_ns()
        log = await self._services.logs.query(job.id, LogFilter(tail=_LINES))
        return self._page(
            "job.html",
            job=job,
            row=_row(job, now),
            headline=views.headline(job, now),
            phases=views.phases(job, now),
            figures=views.figures(job),
            lines=sum(job.logs.lines.values()),
            entries=line_documents(log.entries),
            log_counts={
                "lines": job.logs.lines,
                "retired": job.logs.retired,
                "complete": job.state.terminal,
            },
            grafana=self._grafana(job),
        )  # fmt: skip

    def _grafana(self, job: Job) -> str:
        """Its dashboard, from shortly before it was accepted to shortly after its end; "" where no Grafana is configured."""
        settings = self._services.settings
        if not settings.grafana_url:
            return ""
        chosen = {
            "var-worker": settings.worker_id, "var-job_id": job.id,
            "from": job.submitted_ns // 1_000_000 - _AROUND_MS,
            "to": job.finished_ns // 1_000_000 + _AROUND_MS if job.finished_ns else "now",
        }  # fmt: skip
        return f"{settings.grafana_url.rstrip('/')}/d/fluster-job?{urlencode(chosen)}"

    async def login(self, request: Request) -> Response:
        """Keeps the token in a cookie that opens reading only, see fluster.web.security."""
        token = self._services.token
        if token is None:
            return RedirectResponse("/", 303)
        if request.method == "GET":
            return self._page("login.html", wrong=False)
        given = parse_qs((await request.body()).decode("utf-8", "replace")).get("token", [""])[0].strip()
        if not hmac.compare_digest(given.encode(), token.encode()):
            return self._page("login.html", 401, wrong=True)
        response = RedirectResponse("/", 303)
        response.set_cookie(
            COOKIE, token, httponly=True, samesite="strict", max_age=30 * 86400, secure=request.url.scheme == "https"
        )
        return response

    async def static(self, request: Request) -> Response:
        path = self._static.get(request.path_params["name"])
        if path is None:
            raise NotFoundError("there is no such file")
        kinds = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
        forever = request.query_params.get("v") == self._version
        cache = "public, max-age=31536000, immutable" if forever else "no-cache"
        return FileResponse(
            path, media_type=kinds.get(path.suffix, "application/octet-stream"), headers={"Cache-Control": cache}
        )


def _row(job: Job, now_ns: int) -> dict[str, Any]:
    seconds = job.run_seconds(now_ns)
    figures = job.figures
    memory = next((figure for figure in views.figures(job) if figure.key == "memory"), None)
    return {
        "id": job.id,
        "name": job.name,
        "state": job.state.label,
        "live": not job.state.terminal,
        "duration": "–" if seconds is None else format_duration(seconds),
        "memory": views.memory_cell(job),
        "share": memory.share if memory else None,
        "peak_share": memory.peak_share if memory else None,
        "cpu": "–" if figures.cpu_seconds is None else f"{figures.cpu_seconds:.2f} s",
        "processes": "–" if figures.processes_peak is None else str(figures.processes_peak),
        "reason": views.reason(job),
    }


def _harmless(value: Any) -> Any:
    """Names, commands and errors come from outside: what is not yet HTML shows its control and bidi characters as marks."""
    return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _utc(milliseconds: int | None) -> str:
    if milliseconds is None:
        return "–"
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
