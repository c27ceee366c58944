"""An engine that is not there."""

import pytest

from fluster.errors import EngineUnavailableError
from fluster.runtime.docker import DockerRuntime

pytestmark = pytest.mark.anyio


async def test_no_engine_at_all_is_one_sentence(tmp_path):
    runtime = DockerRuntime("w", base_url=f"unix://{tmp_path}/none.sock")
    with pytest.raises(EngineUnavailableError, match="start it, or use --runtime process"):
        await runtime.open()
