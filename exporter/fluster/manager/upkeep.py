"""What is done with the job table again and again, whatever else happens: live logs are counted, old jobs forgotten."""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection, Mapping
from typing import Final

import anyio
from loguru import logger

from fluster.errors import InfrastructureError
from fluster.job import JobState
from fluster.manager.live import LiveJob
from fluster.manager.table import JobTable
from fluster.supervisor import SupervisorParts

__all__ = ["Upkeep"]

_FORGET_SECONDS: Final = 10.0


class Upkeep:
    """Belongs to the manager, whose table and live jobs it looks at; each method is a task without an end."""

    def __init__(self, parts: SupervisorParts, table: JobTable, live: Mapping[str, LiveJob]) -> None:
        self._parts = parts
        self._settings = parts.settings
        self._table = table
        self._live = live

    async def count_logs(self) -> None:
        """Log counts of live jobs come from small files, read by a thread: answers and scrapes read none."""
        while True:
            live = [
                live for job_id, live in self._live.items() if self._table.get(job_id).state is not JobState.PENDING
            ]
            await anyio.to_thread.run_sync(_count_logs, live, limiter=self._parts.files)
            await anyio.sleep(self._settings.stats_interval)

    async def forget(self) -> None:
        """Jobs beyond --keep-jobs and --keep-for, with their logs and what they worked with."""
        while True:
            await anyio.sleep(_FORGET_SECONDS)
            finished_before_ns = time.time_ns() - int(self._settings.keep_for * 1e9)
            job_ids = self._table.forgettable(keep_jobs=self._settings.keep_jobs, finished_before_ns=finished_before_ns)
            if not job_ids:
                continue
            try:
                await self._parts.store.forget(job_ids)
            except InfrastructureError as error:
                logger.error("cannot forget old jobs: {}", error)
                continue
            for job_id in job_ids:
                self._table.remove(job_id)
            await anyio.to_thread.run_sync(self._remove_files, job_ids, limiter=self._parts.files)

    def _remove_files(self, job_ids: Collection[str]) -> None:
        for job_id in job_ids:
            self._parts.logs.remove(job_id)
            shutil.rmtree(self._parts.workspace(job_id).root, ignore_errors=True)


def _count_logs(lives: Collection[LiveJob]) -> None:
    for live in lives:
        live.logs = live.counts.read()
