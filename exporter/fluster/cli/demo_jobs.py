"""The example jobs with the options that make each say what it is for."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["DEMO_JOBS"]

DEMO_JOBS: Final[tuple[tuple[str, list[str], dict[str, Any]], ...]] = (
    ("hello", ["python", "hello.py"], {}),
    ("spike", ["python", "spike.py"], {"memory": "512m"}),
    ("short", ["./short.sh"], {}),
    ("oom", ["python", "oom.py"], {"memory": "64m"}),
    ("chatty", ["python", "chatty.py"], {}),
    ("failing", ["python", "failing.py"], {}),
    ("tree", ["python", "tree.py"], {"pids": 64}),
    ("timeout", ["python", "timeout.py"], {"timeout": "3s"}),
    ("train", ["python", "train.py"], {"cpus": 1.0, "memory": "1g"}),
)
"""(folder below examples/, command, options of the submission)."""
