import os
import sqlite3
import subprocess
import sys

import anyio
import pytest

from fluster.errors import AlreadyExistsError, FailedPreconditionError, InfrastructureError, NotFoundError
from fluster.job import (
    Build,
    EndReason,
    EnvironmentRequest,
    Figures,
    Job,
    JobRequest,
    JobState,
    Limits,
    LogCounts,
    Source,
)
from fluster.store import StateLock, Store, WorkerIdLock

pytestmark = pytest.mark.anyio


def job(job_id="a", **changes):
    return Job(id=job_id, request=JobRequest(name="n", command=("true",)), worker_id="w", submitted_ns=1, **changes)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "jobs.db"


async def test_a_job_comes_back_whole_after_a_restart(path):
    store = Store(path)
    assert store.open() == []
    full = await store.insert(
        Job(
            id="a",
            request=JobRequest(
                name="ünï",
                command=("sh", "-c", "a b"),
                bundle="file:///x",
                environment=EnvironmentRequest(env_vars={"A": "é\n"}, extras=("x",)),
                limits=Limits(memory_bytes=2**40, cpu_millicores=1500),
                timeout_seconds=2.5,
                ports=("http",),
            ),
            worker_id="w",
            submitted_ns=1_795_000_000_123_456_789,
        )
    )
    ended = full.evolve(state=JobState.BUILDING, build_started_ns=2).evolve(
        state=JobState.FAILED,
        end_reason=EndReason.OOM,
        exit_code=0,
        error="x",
        build=Build(image_tag="t", from_cache=True),
        ports={"http": 80},
        figures=Figures(memory_peak_bytes=5, memory_peak_source=Source.KERNEL, cpu_user_seconds=0.0),
        logs=LogCounts(lines={"stdout": 3}, bytes={"stdout": 9}, last_timestamp_ns=7),
    )
    await store.save(ended)
    store.close()
    again = Store(path)
    assert again.open() == [ended]
    again.close()


async def test_a_pickled_call_is_kept_as_bytes_and_out_of_memory(path):
    store = Store(path)
    store.open()
    call = b"\x80\x05\x00 not json"
    kept = await store.insert(Job(id="a", request=JobRequest(name="n", entrypoint=call), worker_id="w", submitted_ns=1))
    assert kept.request.entrypoint == b""
    assert await store.entrypoint("a") == call
    store.close()
    again = Store(path)
    assert again.open()[0].request.entrypoint == b""
    assert await again.entrypoint("a") == call
    again.close()


async def test_an_id_is_taken_once_even_among_many_at_the_same_time(path):
    store = Store(path)
    store.open()
    refused = []

    async def one():
        try:
            await store.insert(job())
        except AlreadyExistsError as error:
            refused.append(error)

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(one)
    assert len(refused) == 4
    store.close()


async def test_sequence_is_the_order_of_acceptance_and_is_never_used_again(path):
    store = Store(path)
    store.open()
    first = await store.insert(job("z"))
    second = await store.insert(job("a"))
    assert first.sequence < second.sequence
    await store.forget(["a"])
    assert (await store.insert(job("b"))).sequence > second.sequence
    store.close()


async def test_a_job_without_a_call_has_none(path):
    store = Store(path)
    store.open()
    await store.insert(job())
    with pytest.raises(NotFoundError):
        await store.entrypoint("a")
    store.close()


async def test_what_was_acknowledged_survives_sigkill(path):
    script = (
        "import sys, os, signal, anyio\n"
        "from pathlib import Path\n"
        "from fluster.store import Store\n"
        "from fluster.job import Job, JobRequest\n"
        "async def main():\n"
        "    store = Store(Path(sys.argv[1])); store.open()\n"
        "    for i in range(20):\n"
        "        await store.insert(Job(id=f'j{i}', request=JobRequest(name='n', command=('x',)), worker_id='w', submitted_ns=1))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "anyio.run(main)\n"
    )
    done = await anyio.to_thread.run_sync(
        lambda: subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    )
    assert done.returncode == -9
    store = Store(path)
    assert [each.id for each in store.open()] == [f"j{i}" for i in range(20)]
    store.close()


async def test_a_store_that_cannot_be_written_says_so_and_works_again(path):
    store = Store(path)
    store.open()
    await store.insert(job())
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("PRAGMA journal_mode=WAL")
    blocker.execute("DROP TABLE jobs")
    with pytest.raises(InfrastructureError, match="cannot be written"):
        await store.insert(job("b"))
    blocker.execute(
        "CREATE TABLE jobs (sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, document BLOB, entrypoint BLOB)"
    )
    blocker.close()
    await store.insert(job("b"))
    store.close()


async def test_a_broken_file_is_one_sentence(path):
    path.write_bytes(b"this is no database, but it is long enough to be looked at" * 50)
    with pytest.raises(InfrastructureError, match="move it away"):
        Store(path).open()


async def test_a_file_from_the_future_is_refused(path):
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(InfrastructureError, match="newer Fluster"):
        Store(path).open()


def test_one_worker_per_state_directory(tmp_path):
    with StateLock(tmp_path), pytest.raises(FailedPreconditionError, match=r"another worker .pid \d+. uses"):
        StateLock(tmp_path).__enter__()
    with StateLock(tmp_path):
        pass


def test_a_worker_id_has_one_worker():
    worker_id = f"test-{os.getpid()}"
    with WorkerIdLock(worker_id), WorkerIdLock(f"{worker_id}-2"):
        with pytest.raises(FailedPreconditionError, match=r"another worker .* another --worker-id"):
            WorkerIdLock(worker_id).__enter__()
    with WorkerIdLock(worker_id):
        pass
