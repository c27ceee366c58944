"""What was asked for and what came of it, as pairs of a name and a text: the facts of the job page. Pure.

Whatever of it may hold a credential goes through fluster.masking.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from fluster.job import Job, Limits
from fluster.masking import LONGEST, masked_command, masked_start, masked_text, masked_value, whole_words
from fluster.sizes import format_bytes, format_duration

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
    note: str = ""
    """Why it is hidden, where its name and shape are not the reason."""


def command(job: Job) -> str:
    """As a shell would take it, cut after 4 KiB with a word about its length; a pickled call has none."""
    words = job.request.command
    if not words:
        return "a pickled call"
    length = sum(map(len, words)) + len(words) - 1
    if length <= LONGEST:
        return shlex.join(masked_command(words))
    return f"{shlex.join(masked_command(_beginning(words)))} … (cut: {length:,} characters in all)"


def facts(job: Job) -> list[Fact]:
    """Those that are there; what was not asked for is left out."""
    request, build, environment = job.request, job.build, job.request.environment
    sha256 = (build.bundle_sha256 if build else "") or request.bundle_sha256 or ""
    image = build.image_tag if build else ""
    found = [
        Fact("Image" if ":" in image else "Environment", image, code=True),
        Fact("From cache", ("yes" if build.from_cache else "no") if build and image else ""),
        Fact("Bundle", masked_start(request.bundle or ""), code=True),
        Fact("Bundle SHA-256", sha256[:12], code=True, title=sha256),
        Fact("Base image", masked_start(environment.base_image or ""), code=True),
        Fact("Python", environment.python_version or ""),
        Fact("Extras", _list(environment.extras)),
        Fact("Packages", _list(environment.pip_packages), code=True),
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
        Variable(name, None, "too long to show") if len(value) > LONGEST else Variable(name, masked_value(name, value))
        for name, value in sorted(job.request.environment.env_vars.items())
    ]


def _beginning(words: Iterable[str]) -> list[str]:
    """The first words of a long command, 4 KiB in all; the last of them ends where a word of it ends."""
    begun: list[str] = []
    left = LONGEST
    for word in words:
        if len(word) > left:
            return [*begun, found] if (found := whole_words(word[:left])) else begun
        begun.append(word)
        left -= len(word) + 1
    return begun


def _list(texts: Iterable[str]) -> str:
    """As many of them as have room."""
    shown: list[str] = []
    left, more = LONGEST, 0
    for text in texts:
        if len(text) > left:
            left, more = 0, more + 1
        else:
            shown.append(masked_text(text))
            left -= len(text)
    return ", ".join([*shown, f"and {more:,} more"] if more else shown)


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
