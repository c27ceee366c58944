"""REST: one file a noun, JSON as documents.py has it, described by openapi.py."""

from fluster.web.api.routes import routes

__all__ = ["routes"]
