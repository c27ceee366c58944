"""Puts the parts of a worker together, starts and stops them in order. Knows no detail of any part."""

from fluster.app.serve import serve
from fluster.app.worker import open_worker

__all__ = ["open_worker", "serve"]
