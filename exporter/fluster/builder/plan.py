"""What a bundle asks to be installed, from its files alone: the most specific description wins."""

from __future__ import annotations

import hashlib
import os
import stat
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fluster.errors import BuildError
from fluster.job import EnvironmentRequest

__all__ = ["Plan", "digest", "make_plan", "tree_parts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the dependencies of a job are installed by uv."""

    dockerfile: bool = False
    """The bundle has a Dockerfile of its own: a docker build takes it as it stands."""
    dependency_files: tuple[str, ...] = ()
    """Names in the bundle's root that decide the dependencies; only they are in the dependency layer."""
    locked: bool = False
    """pyproject.toml with uv.lock: `uv sync --frozen`."""
    requirements: tuple[str, ...] = ()
    """Files for `uv pip install -r`."""
    extras: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    installs_project: bool = False
    """The project itself is a package: it is installed from its sources, without dependencies."""

    @property
    def installs(self) -> bool:
        return bool(self.locked or self.requirements or self.packages or self.installs_project)


def make_plan(source: Path | None, environment: EnvironmentRequest) -> Plan:
    """Raises BuildError for extras that nothing defines and for a pyproject.toml that cannot be read. Blocking."""
    extras, packages = environment.extras, environment.pip_packages
    if source is None:
        if extras:
            raise BuildError("extras: the job has no bundle with a pyproject.toml that could define them")
        return Plan(packages=packages)
    dockerfile = (source / "Dockerfile").is_file()
    if (source / "pyproject.toml").is_file():
        project = _read_project(source / "pyproject.toml")
        _check_extras(extras, project)
        locked = (source / "uv.lock").is_file()
        return Plan(
            dockerfile=dockerfile,
            dependency_files=("pyproject.toml", "uv.lock") if locked else ("pyproject.toml",),
            locked=locked,
            requirements=() if locked else ("pyproject.toml",),
            extras=extras,
            packages=packages,
            installs_project="build-system" in project,
        )
    if extras:
        raise BuildError("extras: the bundle has no pyproject.toml that could define them; leave them out or add one")
    if (source / "requirements.txt").is_file():
        files = sorted(
            path.name for pattern in ("requirements*.txt", "constraints*.txt") for path in source.glob(pattern)
        )
        return Plan(
            dockerfile=dockerfile,
            dependency_files=tuple(files),
            requirements=("requirements.txt",),
            packages=packages,
        )
    return Plan(dockerfile=dockerfile, packages=packages)


def _read_project(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BuildError(f"pyproject.toml cannot be read: {error}") from error


def _check_extras(extras: tuple[str, ...], project: dict[str, Any]) -> None:
    defined = project.get("project", {}).get("optional-dependencies", {})
    for extra in extras:
        if extra not in defined:
            known = ", ".join(sorted(defined)) or "none"
            raise BuildError(f"extras: pyproject.toml does not define {extra!r}; it has {known}")


def digest(*parts: str | bytes) -> str:
    """SHA-256 in hex over parts that cannot run into each other."""
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        whole.update(len(data).to_bytes(8, "big"))
        whole.update(data)
    return whole.hexdigest()


def tree_parts(root: Path) -> list[str]:
    """Names, kinds, executable bits and contents of a tree, empty folders too, for digest(). Not times and owners. Blocking."""
    parts: list[str] = []
    for directory, names, files in os.walk(root):
        names.sort()
        for name in sorted([*files, *names]):
            path = Path(directory) / name
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                kind, content = "link", path.readlink().as_posix()
            elif stat.S_ISDIR(mode):
                kind, content = "folder", ""
            else:
                kind = "run" if mode & 0o111 else "file"
                with path.open("rb") as file:
                    content = hashlib.file_digest(file, "sha256").hexdigest()
            parts += [path.relative_to(root).as_posix(), kind, content]
    return parts
