"""The two pages of a worker: the list of jobs and one job. Rendered by the server, at first and whenever a part of them changes."""

from fluster.web.pages.routes import routes

__all__ = ["routes"]
