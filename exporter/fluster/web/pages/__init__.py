"""The two pages of a worker: the list of jobs and one job."""

from __future__ import annotations

from starlette.routing import BaseRoute

from fluster.web.services import Services

__all__ = ["routes"]


def routes(services: Services) -> list[BaseRoute]:
    return []
