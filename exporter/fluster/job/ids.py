"""Job ids: their one pattern, and generated ones that sort by time."""

from __future__ import annotations

import re
import secrets
import time
from typing import Final

from fluster.errors import InvalidArgumentError

__all__ = ["check_job_id", "new_job_id"]

_PATTERN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}", re.ASCII)


def check_job_id(job_id: str) -> str:
    """`job_id` itself, or InvalidArgumentError. A valid id is safe as a file name, a label value and in an address."""
    if not _PATTERN.fullmatch(job_id):
        raise InvalidArgumentError(
            "job_id",
            f"{job_id[:64]!r} cannot be a job id; use 1 to 128 letters, digits, '_', '.' or '-', starting with a letter or digit",
        )
    return job_id


def new_job_id(now_ns: int | None = None) -> str:
    """`20261123-170851-379-k3f9`: UTC time to the millisecond, then four random characters."""
    milliseconds = (time.time_ns() if now_ns is None else now_ns) // 1_000_000
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(milliseconds // 1000))
    tail = "".join(secrets.choice("0123456789abcdefghjkmnpqrstvwxyz") for _ in range(4))
    return f"{stamp}-{milliseconds % 1000:03d}-{tail}"
