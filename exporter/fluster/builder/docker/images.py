"""ImageBuilder: from a bundle and its environment to an image, once for equal inputs.

The tag is the hash of everything that goes in: base image (name and id), generated Dockerfile, dependency files, extras, packages,
sources. A tag that the engine has is a hit; nothing else is looked at.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.lowlevel
import docker
import docker.errors
import requests
from urllib3.exceptions import HTTPError

from fluster.builder.contract import Builder, BuilderCounts, BuildRequest, BuiltEnvironment
from fluster.builder.docker.build import BuildStream, supports_buildkit
from fluster.builder.docker.context import generated_context, own_context
from fluster.builder.docker.dockerfile import KEY_LABEL, generate
from fluster.builder.plan import Plan, digest, make_plan, tree_parts
from fluster.config import Settings
from fluster.cri import CriWriter
from fluster.errors import BuildError, EngineUnavailableError, StartError
from fluster.masking import masked_start

__all__ = ["ImageBuilder"]

_REPOSITORY: Final = "fluster/job"


class ImageBuilder(Builder):
    """`base_url` None is DOCKER_HOST or the default socket. Last uses are kept in `<cache-dir>/images.json`."""

    def __init__(self, settings: Settings, *, base_url: str | None = None, buildkit: bool | None = None) -> None:
        self._settings = settings
        self._base_url = base_url
        self._buildkit = buildkit
        self._api: docker.APIClient | None = None
        self._threads = anyio.CapacityLimiter(16)
        self._locks: dict[str, anyio.Lock] = {}
        self._pythons: dict[str, str] = {}
        self._uses = settings.cache_dir / "images.json"
        self._uses_lock = threading.Lock()
        self.counts = BuilderCounts()

    async def build(self, request: BuildRequest, log: CriWriter) -> BuiltEnvironment:
        try:
            with _translated():
                built = await self._build(request, log)
        except BuildError:
            self.counts.builds["failed"] += 1
            raise
        self.counts.builds["cached" if built.from_cache else "built"] += 1
        if request.needs_python:
            await self._check_python(built.image, request.environment.python_version)
        return built

    async def close(self) -> None:
        if self._api is not None:
            self._api.close()
            self._api = None

    async def evict(self, in_use: Collection[str]) -> None:
        with _translated():
            await self._run(self._evict, frozenset(in_use))

    async def _build(self, request: BuildRequest, log: CriWriter) -> BuiltEnvironment:
        plan: Plan = await self._run(make_plan, request.source, request.environment)
        client: docker.APIClient = await self._run(self._client)
        base = request.environment.base_image or self._settings.base_image.format(
            python=request.environment.python_version or self._settings.default_python
        )
        own = plan.dockerfile and request.source is not None
        base_id = ""
        if not own:
            base_id = await self._ensure_base(client, base, log)
            if request.source is None and not plan.installs:
                log.line(f"image {masked_start(base)} is taken as it is: nothing to build")
                return BuiltEnvironment(tag="", from_cache=False, image=base)
        buildkit = bool(self._buildkit)
        dockerfile = "" if own else generate(plan, base=base, has_source=request.source is not None, buildkit=buildkit)
        sources = await self._run(tree_parts, request.source) if request.source is not None else []
        words = [
            base,
            base_id,
            dockerfile,
            str(len(plan.extras)),
            *plan.extras,
            str(len(plan.packages)),
            *plan.packages,
        ]
        if own:  # It names its base itself, and nothing is installed on top.
            words = []
            if plan.extras or plan.packages or request.environment.base_image:
                log.line("extras, packages and image are left aside: the bundle's own Dockerfile is built as it stands")
        key = digest("own" if own else "generated", *words, *sources)[:32]
        tag = f"{_REPOSITORY}:{key}"
        async with self._locks.setdefault(key, anyio.Lock()):
            cached = await self._run(_has, client, tag)
            self.counts.requests["hit" if cached else "miss"] += 1
            if cached:
                log.line(f"image {tag} is there already: nothing to build")
            else:
                log.line(f"building image {tag} ({'BuildKit' if buildkit else 'classic builder'})")
                if buildkit and (request.limits.memory_bytes or request.limits.cpu_millicores):
                    log.line("BuildKit does not enforce the limits of a build")
                context = await self._run(
                    (lambda: own_context(request.source or Path())) if own else
                    (lambda: generated_context(dockerfile, plan, request.source))
                )  # fmt: skip
                with context:
                    await self._stream(client, context, tag, key=key, request=request, log=log)
                if not await self._run(_has, client, tag):
                    raise EngineUnavailableError("the engine ended the build without an image")
            await self._run(self._mark_use, tag)
        return BuiltEnvironment(tag=tag, from_cache=cached, image=tag)

    async def _stream(
        self, client: docker.APIClient, context: Any, tag: str, *, key: str, request: BuildRequest, log: CriWriter
    ) -> None:
        stream: BuildStream | None = None
        cancelled = False

        def work() -> None:
            nonlocal stream
            if cancelled:
                return
            stream = BuildStream(
                client, context, tag, buildkit=bool(self._buildkit), network=self._settings.build_network,
                labels={KEY_LABEL: key, "fluster.worker_id": self._settings.worker_id}, limits=request.limits,
            )  # fmt: skip
            if cancelled:  # while the context was on its way
                stream.cancel()
                return
            stream.run(log)

        async with anyio.create_task_group() as tasks:

            async def cancel_with_us() -> None:
                nonlocal cancelled
                try:
                    await anyio.sleep_forever()
                finally:
                    cancelled = True
                    if stream is not None:
                        stream.cancel()

            tasks.start_soon(cancel_with_us)
            failure: Exception | None = None
            try:
                # Waited for even when cancelled: the log must not be written once its owner has closed it.
                await anyio.to_thread.run_sync(work, limiter=self._threads)
            except Exception as error:  # noqa: BLE001 # handed on outside the group, as itself
                failure = error
            stream = None
            tasks.cancel_scope.cancel()
        if failure is not None:
            # A build that we cancelled fails, too: that is not the engine's fault.
            await anyio.lowlevel.checkpoint_if_cancelled()
            raise failure

    async def _ensure_base(self, client: docker.APIClient, base: str, log: CriWriter) -> str:
        """The id of the base image, pulled where the engine lacks it."""
        shown = masked_start(base)

        def work() -> str:
            try:
                return _image_id(client, base)
            except docker.errors.ImageNotFound:
                log.line(f"pulling {shown}")
            try:
                repository, tag = docker.utils.parse_repository_tag(base)
                for message in client.pull(repository, tag=tag or "latest", stream=True, decode=True):
                    if "error" in message:
                        raise BuildError(
                            f"the image {shown} is not here and cannot be pulled: {masked_start(str(message['error']))}"
                        )
                    if "progress" not in message:
                        log.line(" ".join(str(message[part]) for part in ("id", "status") if part in message))
                return _image_id(client, base)
            except docker.errors.APIError as error:
                raise BuildError(
                    f"the image {shown} is not here and cannot be pulled: {masked_start(str(error.explanation))}; name another with --image"
                ) from error

        return str(await self._run(work))

    async def _check_python(self, image: str, wanted: str | None) -> None:
        """A pickled call loads only in the Python that pickled it: ask the image, once."""

        def work() -> str:
            client = self._client()
            image_id = _image_id(client, image)
            if image_id not in self._pythons:
                program = "import sys; print('%d.%d' % sys.version_info[:2])"
                config = client.create_host_config(network_mode="none", cap_drop=["ALL"])
                container = client.create_container(
                    image, ["-c", program], entrypoint=["python3"], host_config=config,
                    labels={"fluster.probe": image_id},
                )["Id"]  # fmt: skip
                try:
                    client.start(container)
                    client.wait(container, timeout=60)
                    self._pythons[image_id] = client.logs(container, stderr=False).decode().strip()
                except docker.errors.APIError as error:
                    raise StartError(f"the image has no python3 to load the call with: {error.explanation}") from error
                finally:
                    client.remove_container(container, force=True)
            return self._pythons[image_id]

        have = await self._run(work)
        if wanted and have and have != ".".join(wanted.split(".")[:2]):
            raise StartError(
                f"the call was pickled with Python {wanted}, the job would run Python {have}; submit it with the same Python"
            )

    async def _run(self, work: Any, *args: Any) -> Any:
        return await anyio.to_thread.run_sync(work, *args, limiter=self._threads)

    # In threads

    def _client(self) -> docker.APIClient:
        if self._api is None:
            arguments: dict[str, Any] = (
                {"base_url": self._base_url} if self._base_url else {**docker.utils.kwargs_from_env()}
            )
            self._api = docker.APIClient(version="auto", timeout=120, **arguments)
            if self._buildkit is None:
                self._buildkit = supports_buildkit(self._api.version(api_version=False))
        return self._api

    def _mark_use(self, tag: str) -> None:
        with self._uses_lock:
            uses = self._read_uses()
            uses[tag] = max(uses.values(), default=0) + 1
            self._uses.parent.mkdir(parents=True, exist_ok=True)
            part = self._uses.with_suffix(f".{os.getpid()}.part")
            part.write_text(json.dumps(uses))
            part.replace(self._uses)

    def _read_uses(self) -> dict[str, int]:
        try:
            return {str(tag): int(at) for tag, at in json.loads(self._uses.read_text()).items()}
        except (OSError, ValueError, AttributeError):
            return {}

    def _evict(self, in_use: frozenset[str]) -> None:
        client, uses = self._client(), self._read_uses()
        images = client.images(filters={"label": KEY_LABEL})
        total = sum(image["Size"] for image in images)
        for image in sorted(images, key=lambda each: max((uses.get(tag, 0) for tag in _tags(each)), default=0)):
            if total <= self._settings.image_cache_limit:
                break
            if in_use.intersection(_tags(image)):
                continue
            try:
                for name in _tags(image) or [image["Id"]]:
                    client.remove_image(name)
            except docker.errors.APIError:
                continue  # a container uses it
            self.counts.evictions += 1
            total -= image["Size"]
        self.counts.cache_bytes = total


def _image_id(client: docker.APIClient, name: str) -> str:
    return str(client.inspect_image(name)["Id"])  # type: ignore[no-untyped-call] # the SDK has no types here


def _has(client: docker.APIClient, tag: str) -> bool:
    try:
        _image_id(client, tag)
    except docker.errors.ImageNotFound:
        return False
    return True


def _tags(image: Mapping[str, Any]) -> list[str]:
    """Older engines call an image without a name `<none>:<none>`, newer ones leave its names out."""
    return [tag for tag in image["RepoTags"] or [] if not tag.startswith("<none>")]


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except docker.errors.APIError as error:
        raise BuildError(f"the engine refused: {masked_start(str(error.explanation))}") from error
    except (docker.errors.DockerException, requests.exceptions.RequestException, HTTPError) as error:
        raise EngineUnavailableError("the engine went away during the build") from error
