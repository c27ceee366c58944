"""A pickled call on its way into the job: its bytes and the loader are laid beside the job, never loaded here."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cloudpickle

__all__ = ["write_call"]


def write_call(directory: Path, entrypoint: bytes, python_version: str | None) -> None:
    """Write `call.pkl`, `call.json` and `run.py` into `directory`, readable for the job. Blocking."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "call.pkl").write_bytes(entrypoint)
    (directory / "call.json").write_text(json.dumps({"python_version": python_version}))
    shutil.copyfile(Path(__file__).with_name("call_loader.py"), directory / "run.py")
    # Calls of functions without a module to import from need cloudpickle to be loaded: it is pure Python and comes along.
    shutil.copytree(
        Path(cloudpickle.__file__).parent, directory / "cloudpickle", ignore=shutil.ignore_patterns("*.pyc")
    )
    directory.chmod(0o755)
