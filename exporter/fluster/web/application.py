"""All doors of one worker as one ASGI application."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from fluster.web import api, metrics, pages, rpc
from fluster.web.errors import handlers
from fluster.web.observe import Observe
from fluster.web.security import Security
from fluster.web.services import Services

__all__ = ["create_app"]


def create_app(services: Services) -> Starlette:
    """The order of the layers, from outside: counting, security, error translation, routes."""
    routes = [
        *api.routes(services),
        *rpc.routes(services),
        *metrics.routes(services),
        *pages.routes(services),
    ]
    for route in routes:
        if isinstance(route, Route):
            services.exposition.http.expect_route(route.path)
    return Starlette(
        routes=routes,
        middleware=[
            Middleware(Observe, count=services.exposition.http.request),
            Middleware(
                Security,
                settings=services.settings,
                token=services.token,
                metrics_token=services.metrics_token,
            ),
        ],
        exception_handlers=handlers,
    )
