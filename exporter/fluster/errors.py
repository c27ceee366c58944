"""Every error that a user can meet, in two families.

`RequestError` answers a caller: it carries a code, which the doors (REST, RPC, command line) translate, and
where it can the field that is wrong. `JobError` ends a job: it carries the end reason that the job gets.
Both hold one clear sentence that says what is wrong and what to do.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

__all__ = [
    "AlreadyExistsError",
    "BuildError",
    "BundleError",
    "Code",
    "DiskQuotaError",
    "EngineUnavailableError",
    "FailedPreconditionError",
    "FlusterError",
    "InfrastructureError",
    "InvalidArgumentError",
    "JobError",
    "NotFoundError",
    "PayloadTooLargeError",
    "RequestError",
    "ResourceExhaustedError",
    "StartError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnschedulableError",
]


class Code(StrEnum):
    """Why a request was refused, in the words of Connect and gRPC."""

    INVALID_ARGUMENT = "invalid_argument"
    NOT_FOUND = "not_found"
    ALREADY_EXISTS = "already_exists"
    FAILED_PRECONDITION = "failed_precondition"
    RESOURCE_EXHAUSTED = "resource_exhausted"
    UNAUTHENTICATED = "unauthenticated"
    PERMISSION_DENIED = "permission_denied"
    UNAVAILABLE = "unavailable"
    PAYLOAD_TOO_LARGE = "payload_too_large"


class FlusterError(Exception):
    """Any error of Fluster's own; str() is the sentence for the user."""


class RequestError(FlusterError):
    """A request was refused; nothing was changed."""

    code: ClassVar[Code]

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class InvalidArgumentError(RequestError):
    """A field of the request cannot be used as it is; `field` names it."""

    code = Code.INVALID_ARGUMENT

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}", field=field)


class NotFoundError(RequestError):
    """There is no such job, bundle or file."""

    code = Code.NOT_FOUND


class AlreadyExistsError(RequestError):
    """The job id is taken by a live or remembered job."""

    code = Code.ALREADY_EXISTS


class FailedPreconditionError(RequestError):
    """The request is well formed, but not in this state of things."""

    code = Code.FAILED_PRECONDITION


class ResourceExhaustedError(RequestError):
    """The queue, or another bounded thing, is full."""

    code = Code.RESOURCE_EXHAUSTED


class UnauthenticatedError(RequestError):
    """No token, or a wrong one."""

    code = Code.UNAUTHENTICATED


class UnavailableError(RequestError):
    """The worker is stopping, or cannot answer now."""

    code = Code.UNAVAILABLE


class PayloadTooLargeError(RequestError):
    """The body is larger than the worker takes."""

    code = Code.PAYLOAD_TOO_LARGE


class JobError(FlusterError):
    """A job ends because of this; `end_reason` is the value of `fluster.job.EndReason` that it ends with."""

    end_reason: ClassVar[str]


class BundleError(JobError):
    """The bundle cannot be fetched, read or extracted."""

    end_reason = "bundle"


class BuildError(JobError):
    """The environment or image cannot be built; the build log says why."""

    end_reason = "build"


class StartError(JobError):
    """The command cannot be started: not found, not executable, wrong Python for the pickled call."""

    end_reason = "start"


class DiskQuotaError(JobError):
    """The job wrote more than its disk limit."""

    end_reason = "disk_quota"


class InfrastructureError(JobError):
    """Not the job but what it stands on failed: the engine, the disk, a vanished container."""

    end_reason = "infrastructure"


class EngineUnavailableError(InfrastructureError):
    """The container engine does not answer."""


class UnschedulableError(JobError):
    """This worker can never run the job: it asks for more than the machine has."""

    end_reason = "infrastructure"
