"""The engine's API: one client, its errors translated once. Blocking; the runtime calls it in threads."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import docker
import docker.errors
import docker.utils
import requests
from urllib3.exceptions import HTTPError

from fluster.errors import EngineUnavailableError, InfrastructureError, StartError

__all__ = ["AWAY", "Gone", "connect", "cut", "is_remote", "translated"]

AWAY: Final = (
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    requests.exceptions.ChunkedEncodingError,
    HTTPError,
)
"""What "the engine is away" looks like."""
_NO_GPU_DRIVER: Final = "could not select device driver"
"""What the engine says where it was asked for GPUs and NVIDIA's hook is not installed."""
_GPU_HOOK: Final = "nvidia-container-cli:"
"""Who speaks where NVIDIA's hook is installed and cannot do it: a device is lost, the driver too old for the image."""
_TIMEOUT_SECONDS: Final = 60
_POOLS: Final = 600


class Gone(Exception):  # noqa: N818 # a fact, not a fault
    """There is no such container."""


def connect(base_url: str | None) -> docker.APIClient:
    """Raises EngineUnavailableError in one sentence."""
    try:
        arguments: dict[str, Any] = {"base_url": base_url} if base_url else dict(docker.utils.kwargs_from_env())
        client = docker.APIClient(version="auto", timeout=_TIMEOUT_SECONDS, num_pools=_POOLS, **arguments)
    except (docker.errors.DockerException, *AWAY) as error:
        where = base_url or "the default socket or DOCKER_HOST"
        raise EngineUnavailableError(
            f"no Docker engine answers at {where}; start it, or use --runtime process ({_last_words(error)})"
        ) from error
    return client


def is_remote(client: docker.APIClient) -> bool:
    """The engine is reached over the network, so that it may be on another machine."""
    return client.base_url.startswith(("http://", "https://")) and not client.base_url.startswith("http+docker://")


def cut(response: requests.Response) -> None:
    """Wake the thread that reads it: closing alone does not."""
    answer: Any = response.raw
    try:
        answer._fp.fp.raw._sock.shutdown(socket.SHUT_RDWR)  # noqa: SLF001 # no public way through urllib3 and http.client
    except (AttributeError, OSError):
        response.close()


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Errors of the SDK as errors of Fluster; `doing` completes "cannot ...". A missing container is Gone."""
    try:
        yield
    except docker.errors.ImageNotFound as error:
        raise StartError(f"cannot {doing}: {error.explanation}") from error
    except docker.errors.NotFound as error:
        if "No such container" in str(error.explanation):
            raise Gone(str(error.explanation)) from error
        raise StartError(f"cannot {doing}: {error.explanation}") from error
    except docker.errors.APIError as error:
        if _NO_GPU_DRIVER in str(error.explanation):
            raise InfrastructureError(
                "gpus: the engine cannot pass GPUs to containers; install the NVIDIA Container Toolkit on its machine"
            ) from error
        if _GPU_HOOK in str(error.explanation):  # before others look for words in it: it may tell of missing files, too
            reason = str(error.explanation).rpartition(_GPU_HOOK)[2].partition(": unknown")[0].strip()
            raise InfrastructureError(f"gpus: the engine could not pass them to the container: {reason}") from error
        if error.is_server_error() and not _is_start_failure(str(error.explanation)):
            raise InfrastructureError(f"cannot {doing}: the engine says: {error.explanation}") from error
        raise StartError(f"cannot {doing}: {_readable(str(error.explanation))}") from error
    except AWAY as error:
        raise EngineUnavailableError(f"cannot {doing}: the engine does not answer ({_last_words(error)})") from error


def _is_start_failure(text: str) -> bool:
    return "executable file not found" in text or "permission denied" in text or "no such file or directory" in text


def _readable(text: str) -> str:
    if "executable file not found" in text or "no such file or directory" in text:
        return f"command not found in the image: {text.rsplit('exec: ', 1)[-1].split(': unknown', maxsplit=1)[0]}"
    if "permission denied" in text:
        return f"command not executable in the image: {text.rsplit('exec: ', 1)[-1].split(': unknown', maxsplit=1)[0]}"
    return text


def _last_words(error: BaseException) -> str:
    """The innermost reason: what the system said, without the libraries around it."""
    text = str(error)
    for mark in ("No such file or directory", "Connection refused", "Permission denied", "timed out"):
        if mark in text:
            return mark
    return text[-160:]
