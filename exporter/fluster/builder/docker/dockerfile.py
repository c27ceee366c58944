"""The Dockerfile that is generated for a plan: pure text. Dependencies in one layer, sources in a later one."""

from __future__ import annotations

import shlex

from fluster.builder.plan import Plan
from fluster.builder.uv import install_commands

__all__ = ["KEY_LABEL", "USER", "generate"]

KEY_LABEL = "fluster.image"
USER = 10001
"""Who runs the jobs of generated images, and owns /workspace."""
_VENV = "/opt/fluster/venv"
_TOOLS = "/opt/fluster/tools"


def generate(plan: Plan, *, base: str, has_source: bool, buildkit: bool) -> str:
    """The build context has `tools/` (uv, CA file, variables), `dependencies/` and `source/`.

    With BuildKit the tools and uv's cache are mounted and leave no trace; without it a stage of its own holds the tools, and only the
    finished environment is copied from it: what the tools know of indexes is not for the image. The classic builder keeps that stage
    as its cache, an image without a name; the label lets eviction find it.
    """
    lines = [f"FROM {base}"] if buildkit else [f"FROM {base} AS base", f"LABEL {KEY_LABEL}=stage"]
    lines.append("USER root")
    lines.append(f"RUN mkdir -p /workspace && chown {USER}:{USER} /workspace")
    if plan.installs:
        if not buildkit:
            lines += ["FROM base AS build", f"COPY tools/ {_TOOLS}/"]
        lines.append("COPY dependencies/ /opt/fluster/dependencies/")
        lines.append("WORKDIR /opt/fluster/dependencies")
        commands = [["venv", "--no-project", "--python", "python3", _VENV]]
        dependencies = install_commands(_without_project(plan), python=_VENV, project="")
        lines.append(_run([*commands, *dependencies], buildkit=buildkit))
        install = _run([["pip", "install", "--python", _VENV, "--no-deps", "/workspace"]], buildkit=buildkit)
        if not buildkit:
            if plan.installs_project:
                lines += ["COPY source/ /workspace/", install]
            lines += ["FROM base", f"COPY --from=build {_VENV} {_VENV}"]
        lines.append(f"ENV PATH={_VENV}/bin:$PATH VIRTUAL_ENV={_VENV}")
    if has_source:
        lines.append(f"COPY --chown={USER}:{USER} source/ /workspace/")
        if plan.installs_project and buildkit:
            lines.append(install)
    lines += ["ENV HOME=/workspace", "WORKDIR /workspace", f"USER {USER}:{USER}"]
    return "\n".join(lines) + "\n"


def _without_project(plan: Plan) -> Plan:
    return Plan(locked=plan.locked, requirements=plan.requirements, extras=plan.extras, packages=plan.packages)


def _run(commands: list[list[str]], *, buildkit: bool) -> str:
    mounts = (
        f"--mount=type=bind,source=tools,target={_TOOLS} --mount=type=cache,id=fluster-uv,target=/opt/fluster/cache "
        if buildkit
        else ""
    )
    words = " && ".join(f"{_TOOLS}/uv {shlex.join(command)}" for command in commands)
    return f"RUN {mounts}. {_TOOLS}/variables && {words}"
