"""Client: AsyncClient for scripts, on an event loop of its own in a thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from anyio.from_thread import start_blocking_portal

from fluster.client.asynchronous import AsyncClient, AsyncJob

__all__ = ["Client", "Job"]


class Client:
    """`with Client() as client:` or close() it. Methods are those of AsyncClient, without await."""

    def __init__(self, url: str | None = None, token: str | None = None) -> None:
        self._stack = ExitStack()
        self.portal = self._stack.enter_context(start_blocking_portal())
        self._client = self.portal.call(lambda: _make(url, token))
        self._stack.enter_context(self.portal.wrap_async_context_manager(self._client))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._stack.close()

    def submit(
        self, work: Sequence[str] | Callable[..., Any], *, workspace: Path | str | None = None, **options: Any
    ) -> Job:
        return Job(self, self.portal.call(lambda: self._client.submit(work, workspace=workspace, **options)))

    def job(self, job_id: str) -> Job:
        return Job(self, self._client.job(job_id))

    def jobs(self, **filters: Any) -> list[dict[str, Any]]:
        return self.portal.call(lambda: self._client.jobs(**filters))


async def _make(url: str | None, token: str | None) -> AsyncClient:
    return AsyncClient(url, token)


class Job:
    """A handle on one job of a worker."""

    def __init__(self, client: Client, job: AsyncJob) -> None:
        self._portal = client.portal
        self._job = job
        self.id = job.id

    def status(self) -> dict[str, Any]:
        return self._portal.call(self._job.status)

    def wait(self) -> dict[str, Any]:
        return self._portal.call(self._job.wait)

    def kill(self, grace: float | None = None) -> dict[str, Any]:
        return self._portal.call(self._job.kill, grace)

    def result(self) -> Any:
        return self._portal.call(self._job.result)

    def logs(self, *, follow: bool = False, **filters: Any) -> Iterator[dict[str, Any]]:
        entries = self._job.logs(follow=follow, **filters)

        async def following() -> dict[str, Any] | None:
            return await anext(entries, None)

        try:
            while (entry := self._portal.call(following)) is not None:
                yield entry
        finally:
            self._portal.call(entries.aclose)
