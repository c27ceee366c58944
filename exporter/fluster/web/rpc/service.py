"""WorkerServiceImpl: each method asks the manager or the logs, converts, and counts."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import Any

from connectrpc.code import Code as ConnectCode
from connectrpc.errors import ConnectError
from loguru import logger

from fluster.errors import FlusterError, InvalidArgumentError, NotFoundError, RequestError
from fluster.job import JobState
from fluster.v1 import cluster_pb2 as pb
from fluster.v1.cluster_connect import WorkerService
from fluster.web.errors import CONNECT_CODES, fields_named
from fluster.web.followers import Followers
from fluster.web.rpc.convert import entry_message, job_request, log_filter, state_value, status_message
from fluster.web.services import Services

__all__ = ["WorkerServiceImpl"]


class WorkerServiceImpl(WorkerService):
    """One worker's RPC surface."""

    def __init__(self, services: Services) -> None:
        self._manager = services.manager
        self._logs = services.logs
        self._started_ns = services.started_ns
        self._count = services.exposition.http.rpc
        for method in pb.DESCRIPTOR.services_by_name["WorkerService"].methods:
            services.exposition.http.expect_rpc(method.name)
        self._followers = Followers()

    async def run_job(self, request: pb.RunJobRequest, ctx: Any) -> pb.RunJobResponse:
        with self._translated("RunJob"):
            job = await self._manager.submit(job_request(request), request.job_id or None)
            return pb.RunJobResponse(job_id=job.id, state=state_value(job.state))

    async def get_job_status(self, request: pb.GetStatusRequest, ctx: Any) -> pb.JobStatus:
        with self._translated("GetJobStatus"):
            return status_message(self._manager.get(request.job_id))

    async def list_jobs(self, request: pb.ListJobsRequest, ctx: Any) -> pb.ListJobsResponse:
        with self._translated("ListJobs"):
            if not 0 <= request.page_size <= 1000:
                raise InvalidArgumentError("page_size", f"{request.page_size} is not a number from 1 to 1000")
            known = {int(state) for state in JobState if state}
            if unknown := set(request.states) - known:
                raise InvalidArgumentError("states", f"{min(unknown)} is not the number of a state")
            with fields_named({"cursor": "page_token"}):
                page = self._manager.list(
                    states=frozenset(JobState(state) for state in request.states),
                    text=request.text,
                    limit=request.page_size or 100,
                    cursor=request.page_token,
                )
            return pb.ListJobsResponse(
                jobs=[status_message(job) for job in page.jobs], next_page_token=page.next_cursor
            )

    async def fetch_logs(self, request: pb.FetchLogsRequest, ctx: Any) -> pb.FetchLogsResponse:
        with self._translated("FetchLogs"):
            job = self._manager.get(request.job_id)
            page = await self._logs.query(job.id, log_filter(request.filter))
            return pb.FetchLogsResponse(logs=map(entry_message, page.entries), next_cursor=page.next_cursor)

    async def stream_logs(self, request: pb.FetchLogsRequest, ctx: Any) -> AsyncIterator[pb.LogEntry]:
        with self._translated("StreamLogs"):
            job = self._manager.get(request.job_id)
            wanted = log_filter(request.filter)
            if wanted.start_line is not None and wanted.start_line < 0:
                wanted = replace(wanted, start_line=None, tail=-wanted.start_line)
            batches = self._logs.follow(job.id, wanted, lambda: self._ends(job.id))
            with self._followers.one():
                async with aclosing(batches):
                    async for batch in batches:
                        for entry in batch.entries:
                            yield entry_message(entry)

    async def kill_job(self, request: pb.KillJobRequest, ctx: Any) -> pb.KillJobResponse:
        with self._translated("KillJob"):
            grace = None
            if request.HasField("term_timeout_ms"):
                if request.term_timeout_ms < 0:
                    raise InvalidArgumentError("term_timeout_ms", "it is negative")
                grace = request.term_timeout_ms / 1000
            job = await self._manager.kill(request.job_id, grace)
            return pb.KillJobResponse(job_id=job.id, state=state_value(job.state))

    async def health_check(self, request: pb.HealthRequest, ctx: Any) -> pb.HealthResponse:
        with self._translated("HealthCheck"):
            return pb.HealthResponse(
                healthy=not self._manager.closing.is_set(),
                uptime_ms=(time.time_ns() - self._started_ns) // 1_000_000,
                running_jobs=self._manager.slots_used,
            )

    def _ends(self, job_id: str) -> bool:
        try:
            return self._manager.closing.is_set() or self._manager.get(job_id).state.terminal
        except NotFoundError:  # forgotten while it was followed: nothing more comes
            return True

    @contextmanager
    def _translated(self, method: str) -> Iterator[None]:
        """Fluster's errors become Connect's; what nobody foresaw becomes INTERNAL and a line in the worker's log."""
        code = "ok"
        try:
            yield
        except RequestError as error:
            code = CONNECT_CODES[error.code].value
            raise ConnectError(CONNECT_CODES[error.code], str(error)) from None
        except FlusterError as error:
            code = ConnectCode.UNAVAILABLE.value
            raise ConnectError(ConnectCode.UNAVAILABLE, str(error)) from None
        except GeneratorExit:
            raise  # a follower that left
        except Exception as error:
            code = ConnectCode.INTERNAL.value
            logger.exception("{} failed", method)
            raise ConnectError(
                ConnectCode.INTERNAL, "the worker failed on this request; its own log has the details"
            ) from error
        finally:
            self._count(method, code)
