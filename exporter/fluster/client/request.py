"""A submission as the JSON of RunJob, and a worker's errors as Fluster's own: pure."""

from __future__ import annotations

import base64
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from fluster.errors import (
    AlreadyExistsError,
    FailedPreconditionError,
    FlusterError,
    InvalidArgumentError,
    NotFoundError,
    PayloadTooLargeError,
    RequestError,
    ResourceExhaustedError,
    UnauthenticatedError,
    UnavailableError,
)
from fluster.sizes import parse_duration

__all__ = ["error_from", "run_job_document"]

Work = Sequence[str] | Callable[..., Any]
_ERRORS: Final[dict[str, type[RequestError]]] = {
    "not_found": NotFoundError,
    "already_exists": AlreadyExistsError,
    "failed_precondition": FailedPreconditionError,
    "resource_exhausted": ResourceExhaustedError,
    "unauthenticated": UnauthenticatedError,
    "unavailable": UnavailableError,
    "payload_too_large": PayloadTooLargeError,
}


def run_job_document(
    work: Work, *, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None, job_id: str | None = None,
    name: str | None = None, bundle_sha256: str | None = None, bundle: str | None = None, env: Mapping[str, str] | None = None,
    cpus: float | None = None, memory: str | None = None, pids: int | None = None, disk: str | None = None, gpus: int | None = None,
    timeout: str | float | None = None, grace: str | float | None = None, ports: Sequence[str] = (), extras: Sequence[str] = (),
    pip: Sequence[str] = (), python: str | None = None, image: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """RunJobRequest in proto3 JSON. Sizes are text like "512m", durations text like "1h" or seconds."""
    document: dict[str, Any] = {
        "jobId": job_id, "name": name, "bundleSha256": bundle_sha256, "bundleGcsPath": bundle, "pythonVersion": python,
        "ports": list(ports),
        "environment": _known({"envVars": dict(env or {}), "extras": list(extras), "pipPackages": list(pip), "baseImage": image}),
        "resources": _known(
            {
                "cpuMillicores": None if cpus is None else round(cpus * 1000), "memory": memory, "maxProcesses": pids, "disk": disk,
                "gpus": gpus,
            }
        ),
        "timeoutSeconds": _seconds("timeout", timeout),
        "graceSeconds": _seconds("grace", grace, zero=True),
    }  # fmt: skip
    if callable(work):
        import cloudpickle

        document["serializedEntrypoint"] = base64.b64encode(
            cloudpickle.dumps((work, tuple(args), dict(kwargs or {})))
        ).decode()
        document["pythonVersion"] = f"{sys.version_info.major}.{sys.version_info.minor}"
        document["name"] = name or getattr(work, "__name__", "call")
    else:
        if isinstance(work, str):
            raise InvalidArgumentError(
                "command", "it is one string; give a list of words, ['sh', '-c', ...] for a shell line"
            )
        document["command"] = [*work, *args]
    return _known(document, keep_zero="graceSeconds")


def _known(document: dict[str, Any], *, keep_zero: str = "") -> dict[str, Any]:
    return {key: value for key, value in document.items() if value or (key == keep_zero and value is not None)}


def _seconds(field: str, value: str | float | None, *, zero: bool = False) -> int | None:
    if value is None:
        return None
    try:
        seconds = parse_duration(value) if isinstance(value, str) else float(value)
    except ValueError as error:
        raise InvalidArgumentError(field, str(error)) from None
    if not math.isfinite(seconds) or seconds < 0 or (seconds == 0 and not zero):
        raise InvalidArgumentError(field, f"{value} is no time to wait; give more than 0s, or leave it out for none")
    # Whole seconds travel, and nobody gets less than was asked for.
    return math.ceil(seconds)


def error_from(status: int, document: Any) -> FlusterError:
    """The worker's own sentence, as the class of its code. Takes REST's and Connect's documents."""
    if not isinstance(document, dict):
        return UnavailableError(f"the worker answered {status} without a reason")
    sentence = str(document.get("error") or document.get("message") or f"the worker answered {status}")
    code = str(document.get("code", ""))
    if code == "invalid_argument":
        field, _, rest = sentence.partition(": ")
        return InvalidArgumentError(field, rest) if rest else InvalidArgumentError("request", sentence)
    return _ERRORS.get(code, UnavailableError)(sentence)
