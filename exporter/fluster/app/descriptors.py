"""How many files this process may have open: a job of a container takes some twenty, and the usual soft limit of 1024 is soon reached."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager

from loguru import logger

__all__ = ["all_descriptors"]


@contextmanager
def all_descriptors() -> Iterator[int]:
    """Inside, as many files can be open as the hard limit allows. Yields the soft limit that was found, which is what jobs get."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError) as error:
        logger.warning("the limit of open files stays at {}: {}", soft, error)
    try:
        yield soft
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
