import pytest


@pytest.fixture(autouse=True)
def files_are_closed_at_once(monkeypatch):
    """A file of a log is full at its size, however young it is."""
    monkeypatch.setattr("fluster.cri.files.CALM_SECONDS", 0)
