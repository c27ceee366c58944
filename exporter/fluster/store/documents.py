"""A job as the JSON document that the store keeps, and back. The pickled call stays outside: it is bytes of its own."""

from __future__ import annotations

from typing import Final

from pydantic import TypeAdapter

from fluster.job import Job

__all__ = ["dump", "load"]

_ADAPTER: Final[TypeAdapter[Job]] = TypeAdapter(Job)


def dump(job: Job) -> bytes:
    """Defaults are left out: a document holds what is particular to its job, and new fields need no migration."""
    return _ADAPTER.dump_json(job, exclude={"request": {"entrypoint"}, "sequence": True}, exclude_defaults=True)


def load(document: bytes, *, sequence: int, has_entrypoint: bool) -> Job:
    """The job; its `request.entrypoint` is b"" where the store holds a pickled call. Raises ValueError on a broken document."""
    job = _ADAPTER.validate_json(document)
    return job.evolve(sequence=sequence, request=job.request.evolve(entrypoint=b"") if has_entrypoint else job.request)
