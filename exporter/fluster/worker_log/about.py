"""Whose line it is."""

from __future__ import annotations

from contextlib import AbstractContextManager

from loguru import logger

__all__ = ["about"]


def about(job_id: str, phase: str) -> AbstractContextManager[None]:
    """Every line logged inside is bound with the job and its phase: in this task, in tasks that it starts, and in
    threads of anyio.to_thread. A plain threading.Thread begins without them.
    """
    return logger.contextualize(job_id=job_id, phase=phase)
