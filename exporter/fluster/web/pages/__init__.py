"""The two pages of a worker: the list of jobs and one job. Server-rendered; their scripts only keep them up to date."""

from fluster.web.pages.routes import routes

__all__ = ["routes"]
