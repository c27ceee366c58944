"""Between the messages of fluster.v1 and the job model: pure, and every refusal names the message's field."""

from __future__ import annotations

import re
from typing import Final, cast

from fluster.errors import InvalidArgumentError
from fluster.job import EnvironmentRequest, Job, JobRequest, JobState, Limits, check_job_id
from fluster.logs import LogEntry, LogFilter
from fluster.sizes import parse_size
from fluster.v1 import cluster_pb2 as pb
from fluster.web.errors import fields_named
from fluster.web.log_filter import check

__all__ = ["entry_message", "job_request", "log_filter", "state_value", "status_message"]

_ENV_NAME: Final = re.compile(r"[^=\0]+")
_PORT_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)
_PYTHON: Final = re.compile(r"3\.\d{1,2}(\.\d{1,3})?", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_MIB: Final = 1024 * 1024
_MAX_SECONDS: Final = 366 * 86400
_IMAGE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,511}", re.ASCII)
_MAX_CORES: Final = 1_000_000
"""Beyond any machine, and within int32 as millicores: what is accepted must be shown again."""


def job_request(message: pb.RunJobRequest) -> JobRequest:
    """Raises InvalidArgumentError naming the field."""
    if message.job_id:
        check_job_id(message.job_id)
    command = tuple(message.command)
    if bool(command) == bool(message.serialized_entrypoint):
        raise InvalidArgumentError("command", "give a command or a serialized_entrypoint, one of the two")
    if command and not command[0]:
        raise InvalidArgumentError("command", "its first word, the program, is empty")
    if any("\0" in word for word in command):
        raise InvalidArgumentError("command", "a word of it has a NUL byte")
    if message.bundle_sha256 and not _DIGEST.fullmatch(message.bundle_sha256):
        raise InvalidArgumentError("bundle_sha256", "it is not 64 lower-case hex digits")
    if message.python_version and not _PYTHON.fullmatch(message.python_version):
        raise InvalidArgumentError("python_version", f"{message.python_version[:20]!r} is none; write it like 3.12")
    workspace = message.environment.workspace
    if workspace and message.bundle_gcs_path and workspace != message.bundle_gcs_path:
        raise InvalidArgumentError("environment.workspace", "bundle_gcs_path names another bundle; give one of the two")
    return JobRequest(
        name=_name(message, command),
        command=command,
        entrypoint=message.serialized_entrypoint or None,
        bundle=message.bundle_gcs_path or workspace or None,
        bundle_sha256=message.bundle_sha256 or None,
        environment=_environment(message),
        limits=_limits(message.resources, "resources"),
        build_limits=_limits(message.build.resources, "build.resources"),
        timeout_seconds=_seconds(message.timeout_seconds, "timeout_seconds") or None,
        build_timeout_seconds=_seconds(message.build.timeout_seconds, "build.timeout_seconds") or None,
        grace_seconds=_seconds(message.grace_seconds, "grace_seconds") if message.HasField("grace_seconds") else 10.0,
        ports=_ports(message.ports),
    )


def _name(message: pb.RunJobRequest, command: tuple[str, ...]) -> str:
    if message.name:
        if len(message.name) > 256:
            raise InvalidArgumentError("name", "it is longer than 256 characters")
        return message.name
    return command[0].rsplit("/", 1)[-1] or command[0] if command else "call"


def _environment(message: pb.RunJobRequest) -> EnvironmentRequest:
    environment = message.environment
    for name, value in environment.env_vars.items():
        if not _ENV_NAME.fullmatch(name) or "\0" in value:
            raise InvalidArgumentError(
                "environment.env_vars", f"{name[:64]!r} cannot be a variable; no '=' or NUL in names"
            )
    for field, words in (("pip_packages", environment.pip_packages), ("extras", environment.extras)):
        for word in words:
            if not word.strip() or word.strip().startswith("-") or not word.isprintable():
                raise InvalidArgumentError(f"environment.{field}", f"{word[:64]!r} is no name of a package or extra")
    if environment.base_image and not _IMAGE.fullmatch(environment.base_image):
        raise InvalidArgumentError(
            "environment.base_image", f"{environment.base_image[:64]!r} is no image; write it like python:3.12-slim"
        )
    return EnvironmentRequest(
        env_vars=dict(environment.env_vars),
        extras=tuple(environment.extras),
        pip_packages=tuple(environment.pip_packages),
        python_version=message.python_version or None,
        base_image=environment.base_image or None,
    )


def _limits(spec: pb.ResourceSpec, field: str) -> Limits:
    for name in ("cpu", "cpu_millicores", "max_processes", "gpus"):
        if getattr(spec, name) < 0:
            raise InvalidArgumentError(f"{field}.{name}", "it is negative; leave it out for no limit")
    if spec.cpu > _MAX_CORES:
        raise InvalidArgumentError(f"{field}.cpu", f"{spec.cpu} is more cores than any machine has")
    return Limits(
        cpu_millicores=spec.cpu_millicores or spec.cpu * 1000 or None,
        memory_bytes=_size(spec.memory, f"{field}.memory"),
        max_processes=spec.max_processes or None,
        disk_bytes=_size(spec.disk, f"{field}.disk"),
        gpus=spec.gpus,
    )


def _size(text: str, field: str) -> int | None:
    if not text:
        return None
    try:
        return parse_size(text)
    except ValueError as error:
        raise InvalidArgumentError(field, str(error)) from None


def _seconds(value: int, field: str) -> float:
    if not 0 <= value <= _MAX_SECONDS:
        raise InvalidArgumentError(field, f"{value} is not between 0 and a year")
    return float(value)


def _ports(names: object) -> tuple[str, ...]:
    found: list[str] = []
    for name in names:  # type: ignore[attr-defined] # a repeated field is a sequence, its stub says otherwise
        if not _PORT_NAME.fullmatch(name):
            raise InvalidArgumentError("ports", f"{name[:64]!r} is no port name; use letters, digits and '_'")
        if name.upper() in {each.upper() for each in found}:
            raise InvalidArgumentError("ports", f"{name!r} is there twice")
        found.append(name)
    if len(found) > 64:
        raise InvalidArgumentError("ports", "there are more than 64")
    return tuple(found)


def log_filter(message: pb.FetchLogsFilter) -> LogFilter:
    """Raises InvalidArgumentError naming the field."""
    for name in ("start_ms", "end_ms", "max_lines"):
        if getattr(message, name) < 0:
            raise InvalidArgumentError(f"filter.{name}", "it is negative; leave it out for no bound")
    wanted = LogFilter(
        sources=frozenset(message.sources),
        since_ns=message.start_ms * 1_000_000 or None,
        until_ns=message.end_ms * 1_000_000 or None,
        regex=message.regex or None,
        start_line=message.start_line or None,
        max_lines=message.max_lines or None,
        cursor=message.cursor,
    )
    with fields_named({"regex": "filter.regex", "source": "filter.sources", "cursor": "filter.cursor"}):
        check(wanted)
    return wanted


def entry_message(entry: LogEntry) -> pb.LogEntry:
    return pb.LogEntry(
        timestamp_ms=entry.timestamp_ns // 1_000_000,
        source=entry.source,
        data=entry.data.decode("utf-8", "replace"),
        timestamp_ns=entry.timestamp_ns,
        sequence=entry.sequence,
        truncated=entry.truncated,
        cursor=entry.cursor,
        dropped=entry.dropped,
    )


def status_message(job: Job) -> pb.JobStatus:
    build = job.build
    return pb.JobStatus(
        job_id=job.id,
        state=state_value(job.state),
        exit_code=job.exit_code,
        error=job.error,
        started_at_ms=_ms(job.build_started_ns),
        finished_at_ms=_ms(job.finished_ns),
        ports=job.ports,
        resource_usage=_usage(job),
        status_message=job.status_message,
        build_metrics=pb.BuildMetrics(
            build_started_ms=_ms(job.build_started_ns),
            build_finished_ms=_ms(job.build_finished_ns),
            from_cache=build.from_cache if build else False,
            image_tag=build.image_tag if build else "",
        ),
        submitted_at_ms=_ms(job.submitted_ns),
        run_started_at_ms=_ms(job.run_started_ns),
        end_reason=job.end_reason or "",
        name=job.name,
        limits=_limits_message(job.request.limits),
        worker_id=job.worker_id,
        gpus=job.gpus,
    )


def _usage(job: Job) -> pb.ResourceUsage:
    figures = job.figures
    return pb.ResourceUsage(
        memory_mb=round((figures.memory_usage_bytes or 0) / _MIB),
        memory_peak_mb=round((figures.memory_peak_bytes or 0) / _MIB),
        disk_mb=round((figures.disk_bytes or 0) / _MIB),
        cpu_millicores=round((figures.cpu_cores or 0) * 1000),
        cpu_percent=round((figures.cpu_cores or 0) * 100),
        process_count=figures.processes or 0,
        memory_bytes=figures.memory_usage_bytes,
        memory_peak_bytes=figures.memory_peak_bytes,
        memory_peak_source=figures.memory_peak_source or "",
        cpu_user_seconds=figures.cpu_user_seconds,
        cpu_system_seconds=figures.cpu_system_seconds,
        cpu_source=figures.cpu_source or "",
        memory_limit_hits=figures.memory_limit_hits,
        oom_kills=figures.oom_kills,
        process_peak=figures.processes_peak,
        disk_bytes=figures.disk_bytes,
        gpus=[
            pb.GpuUsage(
                uuid=gpu.uuid,
                utilization_ratio=gpu.utilization_ratio,
                memory_used_bytes=gpu.memory_used_bytes,
                memory_peak_bytes=gpu.memory_peak_bytes,
            )
            for gpu in figures.gpus
        ],
    )


def _limits_message(limits: Limits) -> pb.ResourceSpec:
    return pb.ResourceSpec(
        cpu=(limits.cpu_millicores or 0) // 1000,
        memory=f"{limits.memory_bytes}b" if limits.memory_bytes else "",
        disk=f"{limits.disk_bytes}b" if limits.disk_bytes else "",
        cpu_millicores=limits.cpu_millicores or 0,
        max_processes=limits.max_processes or 0,
        gpus=limits.gpus,
    )


def state_value(state: JobState) -> pb.JobState:
    """The enum's number: the two enums agree."""
    return cast("pb.JobState", int(state))


def _ms(nanoseconds: int | None) -> int:
    return 0 if nanoseconds is None else nanoseconds // 1_000_000
