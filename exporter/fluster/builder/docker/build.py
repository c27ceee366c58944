"""One build on the engine, line by line into the build log: BuildKit where the engine has it, else the classic builder. Blocking."""

from __future__ import annotations

import base64
import json
import re
import socket
import time
from collections.abc import Callable, Mapping
from typing import IO, Any, Final

import docker

from fluster.builder.docker.trace import TraceLog, decode
from fluster.builder.uv import reason_of
from fluster.cri import CriWriter
from fluster.errors import BuildError
from fluster.job import Limits
from fluster.masking import masked_start

__all__ = ["BuildStream", "supports_buildkit"]

_REMEMBERED: Final = 64 * 1024
_MOUNT: Final = re.compile(r"--mount=\S+ |\. /opt/fluster/tools/variables && |/opt/fluster/tools/")
_ANSI: Final = re.compile(r"\x1b\[[0-9;]*m")


def supports_buildkit(version: Mapping[str, Any]) -> bool:
    """From the engine's answer to /version: moby has BuildKit behind `version=2` since API 1.38; Podman ignores it."""
    components = {str(each.get("Name", "")) for each in version.get("Components") or []}
    major, _, minor = str(version.get("ApiVersion", "0.0")).partition(".")
    return "Engine" in components and (int(major), int(minor)) >= (1, 38)


class BuildStream:
    """A build that runs; `cancel` from another thread ends it."""

    def __init__(
        self, client: docker.APIClient, context: IO[bytes], tag: str, *, buildkit: bool, network: str,
        labels: Mapping[str, str], limits: Limits,
    ) -> None:  # fmt: skip
        self._client = client
        self._buildkit = buildkit
        self._said = bytearray()
        self._failed_step = ""
        self._steps: dict[str, int] = {}
        self._announced: set[tuple[str, str]] = set()
        params: dict[str, Any] = {
            "t": tag, "dockerfile": "Dockerfile", "labels": json.dumps(dict(labels)), "rm": 1, "forcerm": 1,
        }  # fmt: skip
        if network != "default":
            params["networkmode"] = network
        if buildkit:
            params["version"] = "2"
        else:
            if limits.memory_bytes:
                params |= {"memory": limits.memory_bytes, "memswap": limits.memory_bytes}
            if limits.cpu_millicores:
                params |= {"cpuperiod": 100_000, "cpuquota": limits.cpu_millicores * 100}
        self._response = client.post(
            client._url("/build"),  # type: ignore[attr-defined] # noqa: SLF001 # the SDK's own build() cannot ask for BuildKit
            params=params, data=context, headers={"Content-Type": "application/x-tar"}, stream=True, timeout=(60, None),
        )  # fmt: skip

    def cancel(self) -> None:
        """The engine stops the build when its caller goes away."""
        raw: Any = self._response.raw
        try:
            raw._fp.fp.raw._sock.shutdown(socket.SHUT_RDWR)  # noqa: SLF001 # no public way to wake the reader
        except (AttributeError, OSError):
            self._response.close()

    def run(self, log: CriWriter) -> None:
        """Until the build is over. Raises BuildError with the failing step and its last word."""
        if self._response.status_code >= 400:
            message = self._response.json().get("message", self._response.reason)
            raise BuildError(f"the engine refused the build: {masked_start(str(message))}")
        take: Callable[[dict[str, Any], CriWriter], None] = self._take_trace if self._buildkit else self._take_classic
        pending = b""
        for chunk in self._response.raw.stream(65536):
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                if line.strip():
                    self._take(json.loads(line), take, log)
        if pending.strip():
            self._take(json.loads(pending), take, log)
        log.flush_tails()

    def _take(self, message: dict[str, Any], take: Callable[[dict[str, Any], CriWriter], None], log: CriWriter) -> None:
        if "error" in message or "errorDetail" in message:
            detail = (message.get("errorDetail") or {}).get("message") or message.get("error")
            log.flush_tails()
            step = masked_start(_MOUNT.sub("", self._failed_step))
            where = f"{step if len(step) <= 120 else f'{step[:117]}...'}: " if step else ""
            said = reason_of(self._said.decode("utf-8", "replace"))
            what = f"{where}{masked_start(said)}" if said else masked_start(str(detail))
            raise BuildError(f"the image cannot be built: {what}")
        take(message, log)

    def _take_trace(self, message: dict[str, Any], log: CriWriter) -> None:
        if message.get("id") != "moby.buildkit.trace":
            return
        for found in decode(base64.b64decode(message["aux"])):
            if isinstance(found, TraceLog):
                log.write("stderr" if found.stream == 2 else "stdout", found.timestamp_ns, found.data)
                self._remember(found.data)
                continue
            if found.started_ns:
                self._announce(found.digest, "started", found.started_ns, found.name, log)
            if found.cached:
                self._announce(
                    found.digest, "cached", found.completed_ns or time.time_ns(), f"CACHED {found.name}", log
                )
            if found.error:
                self._failed_step = found.name
                self._announce(found.digest, "error", found.completed_ns or time.time_ns(), f"ERROR {found.error}", log)

    def _announce(self, digest: str, what: str, timestamp_ns: int, text: str, log: CriWriter) -> None:
        if (digest, what) not in self._announced:
            self._announced.add((digest, what))
            log.flush_tails()
            log.line(masked_start(text), timestamp_ns=timestamp_ns)

    def _take_classic(self, message: dict[str, Any], log: CriWriter) -> None:
        """The classic builder sends pieces without times; what it printed to stderr is coloured."""
        text = message.get("stream", "")
        if not text:
            return
        plain = _ANSI.sub("", text)
        if plain.startswith("Step "):
            self._failed_step = plain.strip()
            self._said.clear()
            text = plain = f"{masked_start(self._failed_step)}\n"
        else:
            self._remember(plain.encode())
        log.write("stderr" if text != plain else "stdout", time.time_ns(), plain.encode())

    def _remember(self, data: bytes) -> None:
        """What the failing step may have said: the engine's own words are left out."""
        own = (b" --->", b"Removing intermediate container")
        self._said += b"".join(line for line in data.splitlines(keepends=True) if not line.startswith(own))
        del self._said[:-_REMEMBERED]
