"""The OpenAPI 3.1 document of the REST API, from the routes themselves; the suite checks the server against it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from fluster.job import EndReason, JobState
from fluster.version import __version__

if TYPE_CHECKING:
    from fluster.web.api.routes import ApiRoute

__all__ = ["openapi_document"]

_STATES: Final = [state.label for state in JobState if state]
_REASONS: Final = [reason.value for reason in EndReason]


def _or_null(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": [kind, "null"], **more}


def _object(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    """All properties are always there; more may follow in later versions."""
    return {"type": "object", "properties": properties, "required": list(properties), **more}


_MS: Final = _or_null("integer", description="Milliseconds since the epoch.")
_INT: Final = _or_null("integer")
_NUMBER: Final = _or_null("number")
_SOURCE: Final = {"enum": ["kernel", "sampled", None], "description": "Where the figure comes from."}
_FIGURES: Final[dict[str, Any]] = {
    **{
        name: _or_null("integer", description="Bytes.")
        for name in (
            "memory_usage_bytes", "memory_working_set_bytes", "memory_anon_bytes", "memory_cache_bytes", "memory_peak_bytes",
            "memory_working_set_peak_bytes", "memory_anon_peak_bytes", "block_read_bytes", "block_written_bytes", "disk_bytes",
            "disk_peak_bytes", "network_receive_bytes", "network_transmit_bytes",
        )
    },
    **dict.fromkeys(("memory_limit_hits", "oom_kills", "processes", "processes_peak", "cpu_periods", "cpu_throttled_periods"), _INT),
    **dict.fromkeys(
        (
            "cpu_user_seconds", "cpu_system_seconds", "cpu_cores", "cpu_peak_cores", "cpu_throttled_seconds",
            "pressure_cpu_seconds", "pressure_memory_seconds", "pressure_io_seconds",
        ),
        _NUMBER,
    ),
    **dict.fromkeys(("memory_peak_source", "cpu_source", "processes_peak_source"), _SOURCE),
    "gpus": {
        "type": "array",
        "items": _object(
            {"uuid": {"type": "string"}, "utilization_ratio": _NUMBER, "memory_used_bytes": _INT, "memory_peak_bytes": _INT}
        ),
    },
    "sampled_at": _MS,
}  # fmt: skip
_IDENTITY: Final[dict[str, Any]] = {
    "job_id": {"type": "string"},
    "name": {"type": "string"},
    "status": {"enum": _STATES},
    "status_message": {"type": "string"},
    "end_reason": {"enum": [*_REASONS, None]},
    "exit_code": _or_null("integer", description="As a shell gives it; null while there is none."),
    "error": _or_null("string", description="One sentence on why it ended."),
    "submitted_at": _MS,
    "started_at": {**_MS, "description": "When building began, milliseconds since the epoch."},
    "run_started_at": _MS,
    "finished_at": _MS,
    "ports": {"type": "object", "additionalProperties": {"type": "integer"}},
    "gpus": {
        "type": "array",
        "items": {"type": "string"},
        "description": "UUIDs of the GPUs that are, or were, its own.",
    },
    "worker_id": {"type": "string"},
}
_SUMMARY: Final[dict[str, Any]] = dict.fromkeys(
    ("memory_mb", "memory_peak_mb", "cpu_percent", "process_count", "disk_mb"), _INT
)
_LIMITS: Final = _object(
    {
        "cpu_cores": _NUMBER,
        "memory_bytes": _INT,
        "processes": _INT,
        "disk_bytes": _INT,
        "gpus": {"type": "integer"},
        "timeout_seconds": _NUMBER,
    }
)
_STRINGS: Final = {"type": "array", "items": {"type": "string"}}
_COUNTS: Final = {"type": "object", "additionalProperties": {"type": "integer"}}

_SCHEMAS: Final[dict[str, Any]] = {
    "Error": _object({"error": {"type": "string"}, "code": {"type": "string"}}),
    "Stats": _object(
        {
            name: {"type": "integer"}
            for name in (*_STATES, "completed", "slots", "slots_used", "queue_length", "queue_limit")
        }
    ),
    "JobRow": _object(
        {
            **_IDENTITY, **_SUMMARY, "build_from_cache": _or_null("boolean"), "build_image_tag": _or_null("string"),
            "figures": _object(_FIGURES), "limits": _LIMITS,
        }
    ),
    "JobList": {"type": "array", "items": {"$ref": "#/components/schemas/JobRow"}},
    "Job": _object(
        {
            **_IDENTITY,
            "resources": _object({**_SUMMARY, **_FIGURES}),
            "build": _object(
                {
                    "started_ms": _MS, "finished_ms": _MS, "duration_ms": _INT, "from_cache": _or_null("boolean"),
                    "image_tag": _or_null("string"), "bundle_sha256": _or_null("string"),
                }
            ),
            "limits": _LIMITS,
            "command": {**_STRINGS, "description": "Its words; what looks like a credential in them is ***."},
            "call": {"type": "boolean", "description": "The job is a pickled call."},
            "environment": _object(
                {
                    "names": {**_STRINGS, "description": "Of the variables; their values are not told."}, "extras": _STRINGS, "pip_packages": {**_STRINGS, "description": "Credentials in addresses are ***."},
                    "python_version": _or_null("string"), "base_image": _or_null("string", description="Credentials in it are ***."),
                }
            ),
            "bundle": _or_null("string", description="Its address; credentials in it are ***."),
            "logs": _object(
                {"lines": _COUNTS, "bytes": _COUNTS, "lost": _COUNTS, "retired": _COUNTS, "dropped_lines": {"type": "integer"}, "last_at": _MS}
            ),
            "samples": {
                "type": "array",
                "description": "The last minute, oldest first: up to now, or up to the job's end.",
                "items": _object({"timestamp": {"type": "integer"}, "memory_bytes": _INT, "cpu_cores": _NUMBER, "processes": _INT, "disk_bytes": _INT}),
            },
        }
    ),
    "LogEntries": {
        "type": "array",
        "items": _object(
            {
                "timestamp": {"type": "integer", "description": "Milliseconds since the epoch."},
                "timestamp_ns": {"type": "string", "description": "Nanoseconds since the epoch, as text: it is beyond 2^53."},
                "time": {"type": "string", "format": "date-time"},
                "source": {"enum": ["build", "stdout", "stderr"]},
                "data": {"type": "string"},
                "sequence": {"type": "integer"},
                "truncated": {
                    "type": "boolean",
                    "description": "Not the whole line: it goes on in the next entry, or its beginning or its end is lost.",
                },
                "dropped": {"type": "integer", "description": "Lines that are missing right before this one."},
                "cursor": {"type": "string"},
            }
        ),
    },
    "Files": {
        "type": "array",
        "items": _object(
            {
                "path": {"type": "string"},
                "quoted_path": {"type": "string", "description": "As an address takes it: a name that is no UTF-8 is found by this alone."},
                "size": {"type": "integer"},
                "modified_at": {"type": "integer"},
            }
        ),
    },
    "Bundle": _object({"sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}}),
    "Health": _object({"status": {"const": "ok"}, "version": {"type": "string"}}),
    "Ready": _object({"status": {"const": "ready"}}),
}  # fmt: skip

_TEXT: Final = {"type": "string"}
_PARAMETERS: Final[dict[str, tuple[str, Any, str]]] = {
    "state": ("state", {"type": "array", "items": {"enum": _STATES}}, "Only jobs in these states."),
    "text": ("text", _TEXT, "Only jobs with this in id or name."),
    "jobs_limit": ("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}, "At most so many."),
    "cursor": ("cursor", _TEXT, "From the Link header of the page before, or of a log entry."),
    "grace_ms": ("grace_ms", {"type": "integer", "minimum": 0, "maximum": 3_600_000}, "Between SIGTERM and SIGKILL."),
    "source": (
        "source",
        {"type": "array", "items": {"enum": ["build", "stdout", "stderr", "all"]}},
        "Only these sources.",
    ),
    "since": ("since", _TEXT, "At or after: milliseconds since the epoch, RFC 3339, or a duration ago like 10m."),
    "until": ("until", _TEXT, "Before: written like since."),
    "grep": ("grep", _TEXT, "RE2 syntax, found anywhere in a line."),
    "tail": ("tail", {"type": "integer", "minimum": 0, "maximum": 10_000}, "Only the last so many of what is left."),
    "start": ("start", {"type": "integer"}, "Skip so many of what is left; negative: from the end."),
    "limit": ("limit", {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 1000}, "At most so many."),
}


def openapi_document(routes: Sequence[ApiRoute]) -> dict[str, Any]:
    """OpenAPI 3.1 of these routes."""
    paths: dict[str, Any] = {}
    for route in routes:
        path = re.sub(r"\{(\w+):path\}", r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, path)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fluster worker",
            "version": __version__,
            "description": "Jobs are submitted by RunJob of fluster.v1.WorkerService (Connect, JSON or binary) at "
            "/fluster.v1.WorkerService/RunJob; everything else is here, too.",
        },
        "paths": paths,
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
    }


def _operation(route: ApiRoute, path: str) -> dict[str, Any]:
    content: dict[str, Any] = {route.media_type: {}}
    if route.answer:
        content = {route.media_type: {"schema": {"$ref": f"#/components/schemas/{route.answer}"}}}
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _TEXT} for name in re.findall(r"\{(\w+)\}", path)
    ]
    for key in route.parameters:
        name, schema, text = _PARAMETERS[key]
        more = {"style": "form", "explode": False} if schema.get("type") == "array" else {}
        parameters.append({"name": name, "in": "query", "schema": schema, "description": text, **more})
    ranges = {}
    if route.ranges:
        parameters.append(
            {"name": "Range", "in": "header", "schema": _TEXT, "description": "`bytes=from-to`, one of them."}
        )
        ranges = {
            "206": {"description": "The bytes that the Range header asks for.", "content": content},
            "416": {"description": "There are no such bytes; Content-Range says how many there are."},
        }
    return {
        "summary": route.summary,
        "operationId": f"{route.method.lower()}_{re.sub(r'[^a-z0-9]+', '_', path.lower()).strip('_')}",
        "parameters": parameters,
        "responses": {
            str(route.status): {"description": "As asked for.", "content": content},
            **ranges,
            **{
                str(status): {"description": "One sentence that says what is wrong.", "content": error}
                for status in sorted({*route.errors, 401})
            },
        },
        **route.extra,
    }
