import os

import pytest

from fluster.web.api.files import _opened
from fluster.web.output import listed_output


@pytest.fixture
def output(tmp_path):
    (tmp_path / "secret").write_text("s")
    output = tmp_path / "output"
    (output / "a/b").mkdir(parents=True)
    (output / "a/b/file").write_text("inside")
    (output / "link").symlink_to(tmp_path / "secret")
    (output / "near").symlink_to("a/b/file")
    (output / "dir").symlink_to(tmp_path)
    os.mkfifo(output / "pipe")
    return output


def read(descriptor):
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def test_a_file_in_a_folder_is_opened(output):
    assert read(_opened(output, "a/b/file")) == b"inside"


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "/", "a", "a/b", "a/b/file/", "a//b/file", "a/./b/file", "a/../a/b/file", "../secret", "/etc/passwd", "none", "link",
     "near", "dir/secret", "pipe", "a\0b", "x" * 300, "../output/a/b/file"],
)  # fmt: skip
def test_nothing_else_is_opened(output, name):
    assert _opened(output, name) is None


def test_an_output_directory_that_became_a_link_is_empty(output, tmp_path):
    moved = tmp_path / "moved"
    moved.symlink_to(tmp_path)
    assert _opened(moved, "secret") is None
    assert listed_output(moved) == []


def test_what_was_opened_stays_what_it_was(output):
    descriptor = _opened(output, "a/b/file")
    (output / "a/b/file").unlink()
    (output / "a/b/file").symlink_to(output.parent / "secret")
    assert read(descriptor) == b"inside"


def test_no_descriptor_is_left_behind(output):
    before = len(os.listdir("/proc/self/fd"))
    for name in ("none", "link", "pipe", "a/b", "dir/secret"):
        _opened(output, name)
    assert len(os.listdir("/proc/self/fd")) == before


def test_files_are_listed_in_order_without_links_and_pipes(output):
    (output / "z").write_bytes(b"zz")
    (output / os.fsdecode(b"\xff")).write_text("")
    listed = listed_output(output)
    assert [(file["path"], file["size"]) for file in listed] == [("z", 2), ("�", 0), ("a/b/file", 6)]


def test_there_may_be_no_output_yet(tmp_path):
    assert listed_output(tmp_path / "none") == []
    assert _opened(tmp_path / "none", "x") is None
