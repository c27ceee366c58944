"""Compressed files of a log: every gzip reader gets the whole, Fluster any piece of it."""

import gzip
import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluster.logs.packed import MEMBER_BYTES, PackedFile, pack


@pytest.fixture
def packed(tmp_path):
    data = b"".join(b"line %d of a log\n" % number for number in range(60_000))
    (tmp_path / "job.log.000001").write_bytes(data)
    pack(str(tmp_path / "job.log.000001"), str(tmp_path / "job.log.000001.gz"))
    return data, tmp_path / "job.log.000001.gz"


def test_any_gzip_reader_unpacks_it(packed):
    data, path = packed
    assert len(data) > 3 * MEMBER_BYTES
    assert gzip.decompress(path.read_bytes()) == data
    assert subprocess.run(["gzip", "-dc", path], capture_output=True, check=True).stdout == data
    assert path.stat().st_size < len(data) // 3


def read_all(file, offset, size):
    found = b""
    while len(found) < size and (piece := file.read(offset + len(found), size - len(found))):
        found += piece
    return found


def test_any_piece_is_read_alone(packed):
    data, path = packed
    file = PackedFile(os.open(path, os.O_RDONLY))
    for offset in (0, 1, MEMBER_BYTES - 1, MEMBER_BYTES, len(data) - 3):
        assert read_all(file, offset, 100_000) == data[offset : offset + 100_000]
    assert file.read(len(data), 10) == b""
    file.close()


@given(st.binary(max_size=2000), st.integers(0, 2100), st.integers(1, 2100))
def test_any_bytes_come_back(tmp_path_factory, data, offset, size):
    directory = tmp_path_factory.mktemp("packed")
    (directory / "a").write_bytes(data)
    pack(str(directory / "a"), str(directory / "a.gz"))
    file = PackedFile(os.open(directory / "a.gz", os.O_RDONLY))
    assert read_all(file, offset, size) == data[offset : offset + size]
    file.close()


@pytest.mark.parametrize("damage", [lambda data: data[5:], lambda data: data[:-3], lambda _: gzip.compress(b"other")])
def test_a_damaged_file_says_so(packed, damage):
    _, path = packed
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(OSError, match="damaged"):  # noqa: PT012 # some damage shows when it is opened, some when it is read
        file = PackedFile(os.open(path, os.O_RDONLY))
        try:
            read_all(file, 0, 10_000_000)
        finally:
            file.close()


def test_a_disk_that_is_full_leaves_no_half_of_a_file(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 100)
    with pytest.raises(OSError):
        pack(str(tmp_path / "a"), str(tmp_path / "missing" / "a.gz"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]
