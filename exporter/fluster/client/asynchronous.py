"""AsyncClient: the worker's REST and RunJob over one HTTP connection pool."""

from __future__ import annotations

import pickle
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import anyio
import httpx2 as httpx
import orjson

from fluster.client.request import error_from, run_job_document
from fluster.client.workspace import bundle_digest, pack
from fluster.config import worker_token, worker_url
from fluster.errors import FlusterError, NotFoundError, UnavailableError
from fluster.job import check_job_id

__all__ = ["AsyncClient", "AsyncJob"]

_POLL_SECONDS = 0.1
_RETRY_SECONDS = 0.1
_RETRIES = 20
"""About 45 s of a worker that is away, as long as a restart may take."""


class AsyncClient:
    """`url` and `token` default to FLUSTER_URL and FLUSTER_TOKEN (or the file FLUSTER_TOKEN_FILE). Errors are FlusterError with the worker's sentence."""

    def __init__(self, url: str | None = None, token: str | None = None) -> None:
        self.url = (url or worker_url()).rstrip("/")
        token = token or worker_token()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.AsyncClient(base_url=self.url, headers=headers, timeout=httpx.Timeout(30.0))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.http.aclose()

    async def submit(
        self, work: Sequence[str] | Callable[..., Any], *, workspace: Path | str | None = None, **options: Any
    ) -> AsyncJob:
        """Submit a command (a list of words) or a function with `args=` and `kwargs=`.

        `workspace` is a folder that the job gets; the other options are those of `run_job_document`.
        """
        if workspace is not None:
            options["bundle_sha256"] = await self.upload(Path(workspace))
        document = run_job_document(work, **options)
        answer = await self.request("POST", "/fluster.v1.WorkerService/RunJob", json=document)
        return AsyncJob(self, answer["jobId"])

    async def upload(self, folder: Path) -> str:
        """The SHA-256 of the folder's bundle, uploaded where the worker does not have it yet."""
        with await anyio.to_thread.run_sync(pack, folder) as bundle:
            sha256 = await anyio.to_thread.run_sync(bundle_digest, bundle)
            try:
                await self.request("GET", f"/api/bundles/{sha256}")
            except NotFoundError:
                await self.request(
                    "PUT", "/api/bundles", content=_blocks(bundle), headers={"Content-Type": "application/zip"}
                )
            return sha256

    def job(self, job_id: str) -> AsyncJob:
        """A handle on a job by its id. Raises InvalidArgumentError where no job can have that id."""
        check_job_id(job_id)
        return AsyncJob(self, job_id)

    async def jobs(self, **filters: Any) -> list[dict[str, Any]]:
        """GET /api/jobs; `state`, `text`, `limit` as there."""
        found: list[dict[str, Any]] = await self.request("GET", "/api/jobs", params=_params(filters))
        return found

    async def request(self, method: str, path: str, **more: Any) -> Any:
        """One exchange; the JSON of the answer. Raises FlusterError."""
        try:
            response = await self.http.request(method, path, **more)
        except httpx.TransportError as error:
            raise self.away(error) from error
        return self.checked(response)

    def checked(self, response: httpx.Response) -> Any:
        """The JSON of an answer. Raises FlusterError where it is an error."""
        try:
            document = orjson.loads(response.content) if response.content else None
        except ValueError:
            document = None
        if response.status_code >= 400:
            raise error_from(response.status_code, document)
        return document

    def away(self, error: Exception) -> FlusterError:
        return UnavailableError(
            f"no worker answers at {self.url} ({str(error) or type(error).__name__}); start one with `fluster worker`, or name it by --worker URL"
        )

    async def stream(self, job_id: str, filters: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Log entries until the log is complete; a lost connection is taken up again where it was."""
        cursor, complete, failures = "", False, 0
        while not complete:
            headers = {"Last-Event-ID": cursor} if cursor else {}
            try:
                async with self.http.stream(
                    "GET",
                    f"/api/jobs/{job_id}/logs/stream",
                    params=_params(filters),
                    headers=headers,
                    timeout=httpx.Timeout(30, read=60),
                ) as response:
                    if response.status_code >= 400:
                        await response.aread()
                        self.checked(response)
                    event = ""
                    async for line in response.aiter_lines():
                        failures = 0
                        if line.startswith("id: "):
                            cursor = line[4:]
                        elif line.startswith("event: "):
                            event = line[7:]
                        elif line.startswith("data: "):
                            if event == "end":
                                complete = True
                                break
                            yield orjson.loads(line[6:])
            except httpx.TransportError as error:
                failures += 1
                if failures > (_RETRIES if cursor else 0):
                    raise self.away(error) from error
            if not complete:
                await anyio.sleep(min(_RETRY_SECONDS * 2**failures, 3.0))


class AsyncJob:
    """A handle on one job of a worker."""

    def __init__(self, client: AsyncClient, job_id: str) -> None:
        self._client = client
        self.id = job_id

    async def status(self) -> dict[str, Any]:
        """The document of GET /api/jobs/{job_id}."""
        found: dict[str, Any] = await self._client.request("GET", f"/api/jobs/{self.id}")
        return found

    async def wait(self) -> dict[str, Any]:
        """The document once the job is terminal."""
        while (document := await self.status())["finished_at"] is None:
            await anyio.sleep(_POLL_SECONDS)
        return document

    async def logs(self, *, follow: bool = False, **filters: Any) -> AsyncGenerator[dict[str, Any], None]:
        """Log entries; filters as in GET /api/jobs/{job_id}/logs. `follow` goes on until the log is complete."""
        if follow:
            async for entry in self._client.stream(self.id, filters):
                yield entry
            return
        cursor, params = "", _params(filters)
        while True:
            try:
                response = await self._client.http.get(
                    f"/api/jobs/{self.id}/logs", params={**params, **({"cursor": cursor} if cursor else {})}
                )
            except httpx.TransportError as error:
                raise self._client.away(error) from error
            for entry in self._client.checked(response):
                yield entry
                cursor = entry["cursor"]
            if "next" not in response.links or "limit" in filters:
                return

    async def kill(self, grace: float | None = None) -> dict[str, Any]:
        """Ask for the end; `grace` is seconds between SIGTERM and SIGKILL."""
        params = {} if grace is None else {"grace_ms": round(grace * 1000)}
        found: dict[str, Any] = await self._client.request("POST", f"/api/jobs/{self.id}/kill", params=params)
        return found

    async def result(self) -> Any:
        """What the function returned, once the job has succeeded; else FlusterError with the job's own reason.

        The result is unpickled here: ask for it only if you trust what you ran.
        """
        document = await self.wait()
        if document["status"] != "succeeded":
            raise FlusterError(f"job {self.id} {document['status']}: {document['error']}")
        try:
            response = await self._client.http.get(f"/api/jobs/{self.id}/files/result.pkl")
        except httpx.TransportError as error:
            raise self._client.away(error) from error
        if response.status_code >= 400:
            self._client.checked(response)
        return pickle.loads(response.content)  # noqa: S301 # said in the docstring: the caller's own function wrote it


def _params(filters: dict[str, Any]) -> dict[str, Any]:
    return {
        key: ",".join(value) if isinstance(value, (list, tuple)) else value
        for key, value in filters.items()
        if value is not None
    }


async def _blocks(bundle: Any) -> AsyncIterator[bytes]:
    while block := await anyio.to_thread.run_sync(bundle.read, 1024 * 1024):
        yield block
