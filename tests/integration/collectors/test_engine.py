"""Every operation that a runtime asks of its engine has its series at 0 before it was asked for the first time."""

import pytest

from fluster.app import worker as app
from fluster.collectors import Format
from fluster.runtime.docker import DockerRuntime
from fluster.runtime.fake import FakeRuntime

pytestmark = pytest.mark.anyio


async def test_all_operations_of_the_docker_runtime_are_there_from_the_start(services, monkeypatch):
    async def fake(_settings, _gpus=(), **_more):
        """Asks nothing of an engine, and has the operations of one that does."""
        runtime = FakeRuntime()
        runtime.operations = DockerRuntime("w").operations
        return runtime

    monkeypatch.setattr(app, "open_runtime", fake)
    async with services(runtime="fake") as opened:
        text = opened.exposition.render(Format.TEXT).decode()
    for operation in ("start", "stop", "remove", "ping", "recover"):
        for outcome in ("ok", "refused", "error"):
            assert f'fluster_engine_requests_total{{operation="{operation}",outcome="{outcome}"}} 0\n' in text
        assert f'fluster_engine_request_duration_seconds_count{{operation="{operation}"}} 0\n' in text
