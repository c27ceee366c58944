"""A worker without its doors: state directory, runtime, builder, manager, collectors, and the regular work between them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import anyio
from loguru import logger

from fluster.app.descriptors import all_descriptors
from fluster.app.runtimes import open_runtime
from fluster.builder import Builder, create_builder
from fluster.bundles import BundleStore
from fluster.collectors import Exposition, create_exposition
from fluster.config import Settings
from fluster.errors import FailedPreconditionError, FlusterError
from fluster.gpu import GpuWatch
from fluster.logs import LogStore
from fluster.manager import JobManager
from fluster.stats import Sampler
from fluster.store import StateLock, Store, WorkerIdLock
from fluster.supervisor import GpuAllocator, SupervisorParts
from fluster.web.services import Services

__all__ = ["open_worker"]

_REFRESH_SECONDS: Final = 5.0
_REFRESH_SHARE: Final = 200
"""A refresh is not repeated before this many times what it took: the logs of ten thousand jobs are many files to look at."""
_TEND_SECONDS: Final = 10.0
_EVICT_SECONDS: Final = 300.0
_PING_SECONDS: Final = 10.0


@asynccontextmanager
async def open_worker(settings: Settings) -> AsyncIterator[Services]:
    """A worker that accepts jobs until the context ends; then it drains as the settings say.

    Raises FailedPreconditionError where another worker has the state directory or the worker id, EngineUnavailableError, InfrastructureError.
    """
    async with AsyncExitStack() as stack:
        state = settings.state_dir
        try:
            state.mkdir(parents=True, exist_ok=True, mode=0o700)
            state.chmod(0o700)
        except OSError as error:
            raise FailedPreconditionError(
                f"--state-dir: {state} cannot be used ({error.strerror}); give another directory"
            ) from error
        stack.enter_context(StateLock(state))
        # Before the runtime looks for leftovers: it goes by the id.
        stack.enter_context(WorkerIdLock(settings.worker_id))
        open_files = stack.enter_context(all_descriptors())
        watch = GpuWatch(settings.stats_interval)
        stack.callback(watch.close)
        gpus = await anyio.to_thread.run_sync(watch.open, limiter=anyio.CapacityLimiter(1))
        runtime = await open_runtime(settings, gpus, open_files=open_files)
        stack.push_async_callback(runtime.close)
        bundles = BundleStore(state / "bundles", settings)
        builder = create_builder(runtime.info.name, settings)
        stack.push_async_callback(builder.close)
        logs = LogStore(state / "logs", limit_bytes=settings.max_logs, keep_seconds=settings.keep_logs_for)
        sampler = Sampler(settings.stats_interval, gpus=watch, memory_changed=runtime.memory_changed)
        sampler.start()
        stack.callback(sampler.stop)
        parts = SupervisorParts(
            settings=settings,
            store=Store(state / "jobs.db"),
            runtime=runtime,
            builder=builder,
            bundles=bundles,
            logs=logs,
            sampler=sampler,
            gpus=GpuAllocator(gpu.uuid for gpu in runtime.gpus),
        )
        manager = JobManager(parts)
        exposition = create_exposition(
            settings=settings,
            manager=manager,
            logs=logs,
            bundles=bundles,
            runtime=runtime,
            builder=builder,
            sampler=sampler,
        )
        stack.callback(exposition.close)
        manager.listeners.append(exposition.on_transition)
        tasks = await stack.enter_async_context(anyio.create_task_group())
        stack.callback(tasks.cancel_scope.cancel)
        await stack.enter_async_context(manager.running())
        tasks.start_soon(_refresh, exposition)
        tasks.start_soon(_watch_engine, exposition, runtime.ping)
        tasks.start_soon(_tend_logs, manager, logs)
        tasks.start_soon(_evict, manager, bundles, builder)
        yield Services(
            settings=settings,
            manager=manager,
            logs=logs,
            bundles=bundles,
            runtime=runtime,
            exposition=exposition,
            started_ns=time.time_ns(),
            token=settings.read_token(),
            metrics_token=settings.read_metrics_token(),
        )


async def _refresh(exposition: Exposition) -> None:
    """What only a disk can tell is read here, so that a scrape reads none."""
    limiter = anyio.CapacityLimiter(1)
    while True:
        began = time.monotonic()
        await anyio.to_thread.run_sync(exposition.refresh, limiter=limiter)
        await anyio.sleep(max(_REFRESH_SECONDS, (time.monotonic() - began) * _REFRESH_SHARE))


async def _watch_engine(exposition: Exposition, ping: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await ping()
            exposition.engine_up = True
        except FlusterError as error:
            if exposition.engine_up:
                logger.error("{}", error)
            exposition.engine_up = False
        await anyio.sleep(_PING_SECONDS)


async def _tend_logs(manager: JobManager, logs: LogStore) -> None:
    limiter = anyio.CapacityLimiter(1)
    while True:
        live = {job.id for job in manager.jobs() if not job.state.terminal}
        try:
            dropped = await anyio.to_thread.run_sync(logs.tend, live, limiter=limiter)
            if dropped:
                logger.warning(
                    "the oldest {} files of logs were dropped: --max-logs or --keep-logs-for asks for it", dropped
                )
        except OSError as error:
            logger.warning("logs could not be compressed or dropped: {}", error)
        await anyio.sleep(_TEND_SECONDS)


async def _evict(manager: JobManager, bundles: BundleStore, builder: Builder) -> None:
    while True:
        live = [job for job in manager.jobs() if not job.state.terminal]
        try:
            await bundles.evict(
                {
                    each
                    for job in live
                    for each in (job.request.bundle_sha256, job.build and job.build.bundle_sha256)
                    if each
                }
            )
            await builder.evict({job.build.image_tag for job in live if job.build})
        except (FlusterError, OSError) as error:
            logger.warning("old bundles and builds could not be removed: {}", error)
        await anyio.sleep(_EVICT_SECONDS)
