"""What was asked for and what came of it, as pairs of a name and a text: the facts of the job page. Pure.

Whatever of it may hold a credential goes through fluster.web.pages.masking.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from fluster.job import Job, Limits
from fluster.sizes import format_bytes, format_duration
from fluster.web.pages.masking import masked_command, masked_text, masked_value

__all__ = ["Fact", "Variable", "command", "facts", "variables"]


@dataclass(frozen=True, slots=True)
class Fact:
    name: str
    text: str
    code: bool = False
    """Text of a machine: shown in its type."""
    title: str = ""
    """More of it, where the text is cut."""


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    value: str | None
    """None: hidden."""


def command(job: Job) -> str:
    """As a shell would take it; a pickled call has none."""
    return shlex.join(masked_command(job.request.command)) if job.request.command else "a pickled call"


def facts(job: Job) -> list[Fact]:
    """Those that are there; what was not asked for is left out."""
    request, build, environment = job.request, job.build, job.request.environment
    sha256 = (build.bundle_sha256 if build else "") or request.bundle_sha256 or ""
    image = build.image_tag if build else ""
    found = [
        Fact("Image" if ":" in image else "Environment", image, code=True),
        Fact("From cache", ("yes" if build.from_cache else "no") if build and image else ""),
        Fact("Bundle", masked_text(request.bundle or ""), code=True),
        Fact("Bundle SHA-256", sha256[:12], code=True, title=sha256),
        Fact("Base image", masked_text(environment.base_image or ""), code=True),
        Fact("Python", environment.python_version or ""),
        Fact("Extras", ", ".join(environment.extras)),
        Fact("Packages", ", ".join(map(masked_text, environment.pip_packages)), code=True),
        Fact("Ports", ", ".join(f"{name} {port}" for name, port in job.ports.items())),
        Fact("GPUs", ", ".join(job.gpus), code=True),
        Fact("Limits", _limits(request.limits)),
        Fact("Build limits", _limits(request.build_limits)),
        Fact("Timeout", format_duration(request.timeout_seconds) if request.timeout_seconds else "none"),
        Fact("Build timeout", format_duration(request.build_timeout_seconds) if request.build_timeout_seconds else ""),
        Fact("Grace", format_duration(request.grace_seconds)),
        Fact("Worker", job.worker_id),
    ]
    return [fact for fact in found if fact.text]


def variables(job: Job) -> list[Variable]:
    """Of the request's environment, in order."""
    return [
        Variable(name, masked_value(name, value)) for name, value in sorted(job.request.environment.env_vars.items())
    ]


def _limits(limits: Limits) -> str:
    cores = limits.cpu_millicores
    found = (
        f"memory {format_bytes(limits.memory_bytes)}" if limits.memory_bytes else "",
        f"{cores / 1000:g} {'core' if cores == 1000 else 'cores'}" if cores else "",
        f"{limits.max_processes} processes" if limits.max_processes else "",
        f"disk {format_bytes(limits.disk_bytes)}" if limits.disk_bytes else "",
        f"{limits.gpus} {'GPU' if limits.gpus == 1 else 'GPUs'}" if limits.gpus else "",
    )
    return ", ".join(filter(None, found))
