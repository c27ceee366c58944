"""The routes of the pages."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from fluster.web.followers import Followers
from fluster.web.pages.job_page import JobPages
from fluster.web.pages.jobs_page import JobsPage
from fluster.web.pages.log_view import LogView
from fluster.web.pages.login import Login
from fluster.web.pages.rendering import Rendering
from fluster.web.pages.static_files import StaticFiles
from fluster.web.services import Services

__all__ = ["routes"]


def routes(services: Services) -> list[BaseRoute]:
    static = StaticFiles()
    rendering = Rendering(services.settings.worker_id, static.version)
    followers = Followers()
    jobs, job = JobsPage(services, rendering, followers), JobPages(services, rendering, followers)
    login = Login(services.token, rendering)
    return [
        Route("/", jobs.show, methods=["GET"]),
        Route("/events", jobs.events, methods=["GET"]),
        Route("/job/{job_id}", job.show, methods=["GET"]),
        Route("/job/{job_id}/events", job.events, methods=["GET"]),
        *LogView(services).routes(),
        Route("/login", login.answer, methods=["GET", "POST"]),
        Route("/static/{version}/{name}", static.show, methods=["GET"]),
    ]
