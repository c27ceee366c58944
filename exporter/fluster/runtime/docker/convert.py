"""Between Fluster's words and the engine's: pure functions."""

from __future__ import annotations

from calendar import timegm
from pathlib import Path
from time import strptime
from typing import Any, Final

from docker.types import DeviceRequest

from fluster.gpu import visible_devices
from fluster.job import Limits
from fluster.runtime.contract import ExecutionSpec

__all__ = [
    "CALL_PATH",
    "JOB_LABEL",
    "OUTPUT_PATH",
    "WORKER_LABEL",
    "WORK_PATH",
    "container_name",
    "create_arguments",
    "engine_time",
    "host_config",
    "log_config",
    "log_file",
]

JOB_LABEL: Final = "fluster.job_id"
WORKER_LABEL: Final = "fluster.worker_id"
WORK_PATH: Final = "/workspace"
OUTPUT_PATH: Final = "/fluster/output"
CALL_PATH: Final = "/fluster/call"


def container_name(worker_id: str, job_id: str) -> str:
    return f"fluster-{worker_id}-{job_id}"


def log_config(engine: dict[str, Any]) -> dict[str, Any]:
    """How an engine that describes itself like this is to keep a container's log: whole, in one file.

    Its `local` driver keeps any bytes as they are, and its file can be read; json-file writes U+FFFD for what is no UTF-8.
    """
    if "local" not in (engine.get("Plugins") or {}).get("Log", ()):
        return {"type": "json-file", "config": {}}
    return {"type": "local", "config": {"max-size": "100g", "max-file": "1", "compress": "false"}}


def log_file(engine: dict[str, Any], container: str) -> Path:
    """Where that engine's `local` driver keeps the log of the container with this id, on the engine's machine."""
    return Path(engine.get("DockerRootDir") or "/") / "containers" / container / "local-logs" / "container.log"


def host_config(
    spec: ExecutionSpec,
    *,
    cgroup_parent: str | None,
    engine_limits: Limits,
    network: str | None,
    log: dict[str, Any],
) -> dict[str, Any]:
    """Keyword arguments of the SDK's create_host_config.

    `engine_limits`: what the engine sets on the container itself, whatever the worker's own cgroup, its parent, enforces.
    `log`: see log_config.
    """
    binds = {str(spec.workspace.output): {"bind": OUTPUT_PATH, "mode": "rw"}}
    if spec.workspace.call.exists():
        binds[str(spec.workspace.call)] = {"bind": CALL_PATH, "mode": "ro"}
    config: dict[str, Any] = {
        "binds": binds,
        "cap_drop": ["ALL"],
        "init": True,
        "log_config": log,
        "security_opt": ["no-new-privileges"],
        "port_bindings": {f"{port}/tcp": ("127.0.0.1", port) for port in spec.ports.values()},
    }
    if cgroup_parent:
        config["cgroup_parent"] = cgroup_parent
    if network:
        config["network_mode"] = network
    if spec.gpus:
        config["device_requests"] = [DeviceRequest(driver="nvidia", device_ids=list(spec.gpus), capabilities=[["gpu"]])]
    return config | _limits(engine_limits)


def _limits(limits: Limits) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if limits.memory_bytes:
        # The same number for both: no swap beyond the limit.
        config |= {"mem_limit": limits.memory_bytes, "memswap_limit": limits.memory_bytes}
    if limits.cpu_millicores:
        config["nano_cpus"] = limits.cpu_millicores * 1_000_000
    if limits.max_processes:
        config["pids_limit"] = limits.max_processes
    return config


def create_arguments(spec: ExecutionSpec, *, hide_gpus: bool = False) -> dict[str, Any]:
    """Keyword arguments of the SDK's create_container, without the host config.

    `hide_gpus`: neither a variable of the image nor one of the request gives the container a GPU that is not assigned to it.
    """
    # Where NVIDIA's runtime is the engine's default, this variable alone would do it: CUDA's own images set it to "all".
    devices = {"NVIDIA_VISIBLE_DEVICES": visible_devices(spec.gpus)["NVIDIA_VISIBLE_DEVICES"]} if hide_gpus else {}
    return {
        "image": spec.image,
        "name": container_name(spec.worker_id, spec.job_id),
        "command": list(spec.command),
        # An empty entrypoint: what runs is the job's command, not the image's wrapper around it.
        "entrypoint": [],
        # The init process passes signals on to the whole group, as a terminal would.
        "environment": {"TINI_KILL_PROCESS_GROUP": "1", **spec.env, **devices},
        "working_dir": WORK_PATH,
        "labels": {JOB_LABEL: spec.job_id, WORKER_LABEL: spec.worker_id},
        "ports": [(port, "tcp") for port in spec.ports.values()],
        "stdin_open": False,
        "tty": False,
    }


def engine_time(text: str) -> int:
    """Nanoseconds since the epoch of the engine's RFC 3339 time; 0 for its zero time."""
    if text.startswith("0001-"):
        return 0
    head, _, fraction = text.rstrip("Z").partition(".")
    return timegm(strptime(head[:19], "%Y-%m-%dT%H:%M:%S")) * 1_000_000_000 + int(fraction.ljust(9, "0")[:9] or 0)
