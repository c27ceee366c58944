"""The worker's own log: loguru, text for people on a terminal, JSON lines otherwise. Nothing of a job's output is in it."""

from fluster.worker_log.about import about
from fluster.worker_log.log import WorkerLog, configure

__all__ = ["WorkerLog", "about", "configure"]
