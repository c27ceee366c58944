"""The build context as a tar in a temporary file: generated Dockerfile, tools, dependency files, sources. Blocking."""

from __future__ import annotations

import io
import os
import shlex
import tarfile
import tempfile
from pathlib import Path
from typing import IO

from docker.utils import build as docker_build

from fluster.builder.plan import Plan
from fluster.builder.uv import uv_binary, uv_variables

__all__ = ["generated_context", "own_context"]

_TOOLS = "/opt/fluster/tools"
_TIME = 946_684_800
"""Of every file: 2000-01-01. A wheel cannot hold times before 1980."""


def generated_context(dockerfile: str, plan: Plan, source: Path | None) -> IO[bytes]:
    """For a generated Dockerfile. Times and owners in it are fixed: equal inputs give equal layers."""
    file = tempfile.TemporaryFile(prefix="fluster-context-")  # noqa: SIM115 # the caller closes it
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        _text(tar, "Dockerfile", dockerfile)
        if plan.installs:
            _file(tar, uv_binary(), "tools/uv", 0o755)
            certificates = os.environ.get("SSL_CERT_FILE", "")
            if certificates and Path(certificates).is_file():
                _file(tar, Path(certificates), "tools/ca.crt", 0o644)
            _text(tar, "tools/variables", _variables(has_certificates=bool(certificates)))
            _directory(tar, "dependencies")
            for name in plan.dependency_files:
                if source is not None:
                    _file(tar, source / name, f"dependencies/{name}", 0o644)
        if source is not None:
            _tree(tar, source, "source")
    file.seek(0)
    return file


def own_context(source: Path) -> IO[bytes]:
    """For the bundle's own Dockerfile: the bundle as it stands, but for what its .dockerignore leaves out."""
    ignore = source / ".dockerignore"
    patterns = ignore.read_text().splitlines() if ignore.is_file() else []
    exclude = [line.strip() for line in patterns if line.strip() and not line.startswith("#")]
    names = sorted(docker_build.exclude_paths(str(source), exclude, dockerfile="Dockerfile"))
    file = tempfile.TemporaryFile(prefix="fluster-context-")  # noqa: SIM115 # the caller closes it
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in names:
            _add(tar, source / name, name)
    file.seek(0)
    return file


def _variables(*, has_certificates: bool) -> str:
    """A shell file, sourced by RUN lines: what it says is neither in the image nor in its history."""
    variables = {
        **{name: value for name, value in uv_variables().items() if not name.startswith("SSL_")},
        "UV_CACHE_DIR": "/opt/fluster/cache",
        "UV_LINK_MODE": "copy",
        # A Python that uv brought would lie in root's home, where the job's user cannot read it.
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_PROJECT_ENVIRONMENT": "/opt/fluster/venv",
        "UV_NO_PROGRESS": "1",
        "NO_COLOR": "1",
    }
    if has_certificates:
        variables["SSL_CERT_FILE"] = f"{_TOOLS}/ca.crt"
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(variables.items()))


def _tree(tar: tarfile.TarFile, root: Path, target: str) -> None:
    _directory(tar, target)
    for directory, names, files in os.walk(root):
        names.sort()
        for name in sorted([*names, *files]):
            path = Path(directory) / name
            _add(tar, path, f"{target}/{path.relative_to(root).as_posix()}")


def _add(tar: tarfile.TarFile, path: Path, target: str) -> None:
    info = tar.gettarinfo(path, target)
    _fix(info)
    if info.isreg():
        info.mode = 0o755 if info.mode & 0o111 else 0o644
        with path.open("rb") as content:
            tar.addfile(info, content)
    elif info.isdir() or info.issym():
        info.mode = 0o755 if info.isdir() else 0o777
        tar.addfile(info)


def _file(tar: tarfile.TarFile, path: Path, target: str, mode: int) -> None:
    info = tarfile.TarInfo(target)
    info.size, info.mode, info.mtime = path.stat().st_size, mode, _TIME
    with path.open("rb") as content:
        tar.addfile(info, content)


def _directory(tar: tarfile.TarFile, target: str) -> None:
    info = tarfile.TarInfo(target)
    info.type, info.mode, info.mtime = tarfile.DIRTYPE, 0o755, _TIME
    tar.addfile(info)


def _text(tar: tarfile.TarFile, target: str, text: str) -> None:
    data = text.encode()
    info = tarfile.TarInfo(target)
    info.size, info.mode, info.mtime = len(data), 0o644, _TIME
    tar.addfile(info, io.BytesIO(data))


def _fix(info: tarfile.TarInfo) -> None:
    info.mtime = _TIME
    info.uid = info.gid = 0
    info.uname = info.gname = ""
