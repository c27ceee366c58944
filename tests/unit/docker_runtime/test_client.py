"""The engine's errors become one clear sentence of the right family."""

import docker.errors
import pytest
import requests

from fluster.errors import EngineUnavailableError, InfrastructureError, StartError
from fluster.runtime.docker.client import Gone, connect, translated


def answer(status):
    response = requests.Response()
    response.status_code = status
    return response


def error(status, explanation, kind=docker.errors.APIError):
    return kind("message", response=answer(status), explanation=explanation)


@pytest.mark.parametrize(
    ("raised", "expected", "says"),
    [
        (
            error(404, "No such image: a:b", docker.errors.ImageNotFound),
            StartError,
            "cannot start it: No such image: a:b",
        ),
        (error(404, "No such container: x", docker.errors.NotFound), Gone, "No such container"),
        (error(404, "network y not found", docker.errors.NotFound), StartError, "network y not found"),
        (error(409, "is already in use"), StartError, "is already in use"),
        (error(500, "no space left on device"), InfrastructureError, "the engine says: no space left on device"),
        (
            error(400, 'OCI runtime: exec: "nope": executable file not found in $PATH: unknown'),
            StartError,
            'command not found in the image: "nope": executable file not found',
        ),
        (
            error(500, 'OCI runtime: exec: "/etc": permission denied: unknown'),
            StartError,
            'command not executable in the image: "/etc"',
        ),
        (
            error(500, 'could not select device driver "nvidia" with capabilities: [[gpu]]'),
            InfrastructureError,
            "gpus: the engine cannot pass GPUs to containers; install",
        ),
        (
            error(
                400,
                "failed to create task: OCI runtime create failed: error running hook #0: exit status 1, stdout: , stderr: "
                "nvidia-container-cli: initialization error: load library failed: libnvidia-ml.so.1: cannot open shared "
                "object file: no such file or directory: unknown",
            ),
            InfrastructureError,
            "could not pass them to the container: initialization error: load library failed: libnvidia-ml.so.1: cannot open",
        ),
        (requests.exceptions.ConnectionError("Connection refused"), EngineUnavailableError, "does not answer"),
        (requests.exceptions.ReadTimeout("timed out"), EngineUnavailableError, "timed out"),
        (requests.exceptions.ChunkedEncodingError("cut"), EngineUnavailableError, "does not answer"),
    ],
)
def test_errors_are_translated_once(raised, expected, says):
    with pytest.raises(expected) as caught, translated("start it"):
        raise raised
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_engine_is_one_sentence_with_the_way_out(tmp_path):
    with pytest.raises(EngineUnavailableError) as caught:
        connect(f"unix://{tmp_path}/none.sock")
    text = str(caught.value)
    assert f"no Docker engine answers at unix://{tmp_path}/none.sock" in text
    assert "--runtime process" in text
    assert "No such file or directory" in text
