"""The samples of a job's last minute beside the job."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluster.errors import InfrastructureError
from fluster.job import Job, JobRequest, JobState, Sample
from fluster.store import Store
from fluster.store import samples as documents

pytestmark = pytest.mark.anyio
BYTES = st.none() | st.integers(0, 2**63)
SAMPLES = [Sample(1_795_000_000_000 + number * 200, number, 0.5, None, 3) for number in range(300)]


@given(
    st.lists(
        st.builds(Sample, st.integers(0, 2**50), BYTES, st.none() | st.floats(0, 1e6), BYTES, BYTES), min_size=1, max_size=50
    )
)  # fmt: skip
def test_samples_come_back_as_they_were(samples):
    assert documents.load(documents.dump(samples)) == samples


def test_a_minute_is_small():
    assert len(documents.dump(SAMPLES)) < 2000


@pytest.mark.parametrize("broken", [b"", b"x", documents.dump(SAMPLES)[:-9], __import__("zlib").compress(b"[]")])
def test_what_is_broken_is_a_value_error(broken):
    with pytest.raises(ValueError):
        documents.load(broken)


@pytest.fixture
async def store(tmp_path):
    store = Store(tmp_path / "jobs.db")
    store.open()
    yield store
    store.close()


@pytest.fixture
async def job(store):
    return await store.insert(Job(id="a", request=JobRequest(name="n", command=("x",)), worker_id="w", submitted_ns=1))


async def test_samples_are_kept_with_the_job_outlive_a_restart_and_go_with_it(store, job, tmp_path):
    await store.save(job.evolve(state=JobState.BUILDING), SAMPLES)
    store.close()
    again = Store(tmp_path / "jobs.db")
    (kept,) = again.open()
    assert kept.state is JobState.BUILDING
    assert await again.samples("a") == SAMPLES
    await again.save(kept)
    assert await again.samples("a") == SAMPLES
    await again.forget(["a"])
    assert await again.samples("a") == []
    again.close()
    with sqlite3.connect(tmp_path / "jobs.db") as connection:
        assert connection.execute("SELECT count(*) FROM samples").fetchone() == (0,)
    connection.close()


async def test_a_single_sample_is_no_curve_and_not_written(store, job):
    await store.save(job, SAMPLES[:1])
    assert await store.samples("a") == []


async def test_samples_that_cannot_be_written_do_not_keep_a_job_from_being_saved(store, job, tmp_path):
    blocker = sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)
    blocker.execute("DROP TABLE samples")
    blocker.close()
    await store.save(job.evolve(error="kept"), SAMPLES)
    with pytest.raises(InfrastructureError):
        await store.samples("a")
    store.close()
    again = Store(tmp_path / "jobs.db")
    assert [each.error for each in again.open()] == ["kept"]
    assert await again.samples("a") == []
    again.close()


async def test_broken_samples_are_an_error_in_one_sentence(store, job, tmp_path):
    await store.save(job, SAMPLES)
    other = sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)
    other.execute("UPDATE samples SET document = x'00'")
    other.close()
    with pytest.raises(InfrastructureError, match="cannot be read"):
        await store.samples("a")


async def test_a_store_from_before_there_were_samples_opens_as_it_is(store, job, tmp_path):
    store.close()
    old = sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)
    old.execute("DROP TABLE samples")
    assert old.execute("PRAGMA user_version").fetchone() == (1,)
    old.close()
    again = Store(tmp_path / "jobs.db")
    assert again.open() == [job]
    assert await again.samples("a") == []
    again.close()
