"""fluster.v1.WorkerService over Connect (JSON and binary), gRPC-Web, and gRPC where the server allows it."""

from __future__ import annotations

from starlette.routing import BaseRoute, Mount

from fluster.v1.cluster_connect import WorkerServiceASGIApplication
from fluster.web.rpc.service import WorkerServiceImpl
from fluster.web.services import Services

__all__ = ["routes"]


def routes(services: Services) -> list[BaseRoute]:
    application = WorkerServiceASGIApplication(
        WorkerServiceImpl(services), read_max_bytes=services.settings.max_request
    )
    return [Mount(application.path, application)]
