import socket
from types import SimpleNamespace

import pytest

from fluster.cli.main import main


@pytest.fixture
def fluster(capsys):
    """`fluster ...` in this process: code, stdout, stderr."""

    def run(*words):
        with pytest.raises(SystemExit) as stopped:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        return SimpleNamespace(code=stopped.value.code, out=out, err=err)

    return run


@pytest.fixture
def document():
    """The document of a job that used what it was given."""
    return {
        "job_id": "j1", "name": "train", "status": "succeeded", "status_message": "", "end_reason": "completed", "exit_code": 0,
        "error": None, "submitted_at": 1_000, "started_at": 1_250, "run_started_at": 3_250, "finished_at": 63_250,
        "build": {"finished_ms": 3_250, "image_tag": "py3.11-abc", "from_cache": False},
        "limits": {"memory_bytes": 4 << 30},
        "resources": {
            "memory_peak_bytes": 2 << 30, "memory_peak_source": "kernel", "cpu_user_seconds": 61.5, "cpu_system_seconds": 0.25,
            "cpu_source": "kernel", "processes_peak": 7, "processes_peak_source": "kernel", "oom_kills": 0, "gpus": [],
        },
        "logs": {"lines": {"build": 5, "stdout": 100}},
    }  # fmt: skip


@pytest.fixture
def free_port():
    """A port of loopback where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
