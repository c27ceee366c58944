"""Whoever reads a growing file is woken once it grew, and by nothing else."""

import ctypes
import threading

import pytest

from fluster.runtime.docker.growth import Growth


@pytest.fixture
def growth():
    growth = Growth()
    yield growth
    growth.close()


def test_a_write_wakes_once_and_only_who_asked(growth, tmp_path):
    woken = [threading.Event(), threading.Event()]
    with (tmp_path / "a").open("ab+", buffering=0) as first, (tmp_path / "b").open("ab+", buffering=0) as second:
        assert growth.watch(first.fileno(), woken[0])
        assert growth.watch(second.fileno(), woken[1])
        first.write(b"x")
        assert woken[0].wait(10)
        assert not woken[1].is_set()
        woken[0].clear()
        first.write(b"x")  # nobody watches any more
        second.write(b"x")
        assert woken[1].wait(10)
        assert not woken[0].is_set()


def test_no_write_between_two_watches_is_missed(growth, tmp_path):
    """As its reader does it: watch, look, wait."""
    woken, seen, total = threading.Event(), 0, 20_000
    with (tmp_path / "a").open("ab+", buffering=0) as file:
        writer = threading.Thread(target=lambda: [file.write(b"x") for _ in range(total)])
        writer.start()
        while seen < total:
            woken.clear()
            assert growth.watch(file.fileno(), woken)
            size = file.seek(0, 2)
            if size > seen:
                seen = size
            else:
                assert woken.wait(10)
        writer.join()


def test_two_readers_of_one_file_are_both_woken_and_a_deleted_file_still_is_one(growth, tmp_path):
    woken = [threading.Event(), threading.Event()]
    with (tmp_path / "a").open("ab+", buffering=0) as file:
        (tmp_path / "a").unlink()
        assert all(growth.watch(file.fileno(), each) for each in woken)
        file.write(b"x")
        assert all(each.wait(10) for each in woken)


def test_where_the_kernel_refuses_it_says_so(tmp_path, monkeypatch):
    class Refusing:
        inotify_init1 = staticmethod(lambda _flags: -1)

    with monkeypatch.context() as patched:
        patched.setattr(ctypes, "CDLL", lambda *_args, **_kwargs: Refusing)
        growth = Growth()
    with (tmp_path / "a").open("ab+") as file:
        assert not growth.watch(file.fileno(), threading.Event())
    growth.close()
    assert not growth.watch(0, threading.Event())
    growth.close()
