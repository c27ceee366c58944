"""A worker may have as many files open as the machine allows it; its jobs see the limit that they would have seen without it."""

import resource

import pytest

pytestmark = pytest.mark.anyio

USUAL = 512


@pytest.fixture
def hard():
    """The hard limit, above a soft one as machines have it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard > USUAL
    resource.setrlimit(resource.RLIMIT_NOFILE, (USUAL, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_the_worker_raises_its_own_limit_of_open_files_and_not_that_of_its_jobs(hard, worker):
    async with worker() as w:
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
        job_id = await w.submit("sh", "-c", "ulimit -Sn; ulimit -Hn")
        await w.wait(job_id)
        assert await w.lines(job_id, source="stdout") == [str(USUAL), str(hard)]
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (USUAL, hard)
