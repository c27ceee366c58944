"""Which runtime a worker gets."""

from __future__ import annotations

from collections.abc import Sequence

from loguru import logger

from fluster.config import Settings
from fluster.errors import EngineUnavailableError
from fluster.gpu import Gpu
from fluster.runtime import Runtime

__all__ = ["open_runtime"]


async def open_runtime(settings: Settings, gpus: Sequence[Gpu] = (), *, open_files: int | None = None) -> Runtime:
    """The runtime of the settings, opened; `gpus` are this machine's, `open_files` is the soft limit that processes of jobs get.

    Raises EngineUnavailableError where docker is asked for and does not answer.
    """
    worker_id = settings.worker_id
    if settings.runtime in {"auto", "docker"}:
        from fluster.runtime.docker import DockerRuntime

        runtime: Runtime = DockerRuntime(worker_id, gpus=gpus)
        try:
            await runtime.open()
        except EngineUnavailableError as error:
            if settings.runtime == "docker":
                raise
            logger.info("no Docker engine answers, jobs run as processes ({})", error)
        else:
            return _announced(runtime)
    if settings.runtime == "fake":
        from fluster.runtime.fake import FakeRuntime

        runtime = FakeRuntime(gpus=gpus)
    else:
        from fluster.runtime.process import ProcessRuntime

        runtime = ProcessRuntime(worker_id, settings.state_dir / "work", gpus=gpus, open_files=open_files)
    await runtime.open()
    return _announced(runtime)


def _announced(runtime: Runtime) -> Runtime:
    info = runtime.info
    logger.info(
        "runtime {}{}: enforces {}; figures are {}",
        info.name,
        f" {info.engine_version}" if info.engine_version else "",
        ", ".join(info.enforced) or "nothing",
        "the kernel's account" if info.figures.value == "kernel" else "sampled",
    )
    if runtime.gpus:
        logger.info("GPUs to assign: {}", ", ".join(gpu.uuid for gpu in runtime.gpus))
    for note in info.notes:
        logger.warning("runtime {}: {}", info.name, note)
    return runtime
