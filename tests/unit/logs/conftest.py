import pytest

from fluster.logs import LogStore


@pytest.fixture(autouse=True)
def files_are_closed_at_once(monkeypatch):
    """A file of a log is full at its size, however young it is."""
    monkeypatch.setattr("fluster.cri.files.CALM_SECONDS", 0)


@pytest.fixture
def store(tmp_path):
    """With one job, of which nothing is written yet."""
    store = LogStore(tmp_path)
    store.create("job")
    return store
