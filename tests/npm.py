"""npm packages that tests read: a folder with package.json and its lock file, installed once for each state of the lock."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.absent import needed

__all__ = ["installed"]

CACHE = Path(__file__).parents[1] / ".cache"


def installed(source):
    """The folder in which `node_modules` has the packages of `source`. Where npm is missing the test is left out, if that is allowed."""
    needed("npm", "node")
    lock = source / "package-lock.json"
    folder = CACHE / f"{source.name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    if not folder.exists():
        new = folder.with_name(f"{folder.name}.{os.getpid()}")
        new.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, new)
        subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            cwd=new, check=True, capture_output=True, timeout=100,
        )  # fmt: skip
        try:
            new.rename(folder)
        except OSError:  # somebody else was faster
            shutil.rmtree(new)
    return folder
