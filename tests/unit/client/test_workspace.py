import os
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluster.client.workspace import bundle_digest, pack
from fluster.errors import InvalidArgumentError


def members(folder):
    with pack(folder) as bundle, zipfile.ZipFile(bundle) as opened:
        return {each.filename: opened.read(each) for each in opened.infolist()}


def digest(folder):
    with pack(folder) as bundle:
        return bundle_digest(bundle)


def fill(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


FILES = {"train.py": b"print()", "package/__init__.py": b"", "package/data.bin": bytes(range(256)) * 100}


def test_equal_folders_give_equal_bytes_whatever_their_times_and_order(tmp_path):
    one = fill(tmp_path / "one", FILES)
    two = fill(tmp_path / "two", dict(reversed(FILES.items())))
    os.utime(two / "train.py", (1, 1))
    (two / "train.py").chmod(0o600)
    assert digest(one) == digest(two)


@given(st.sampled_from(sorted(FILES)), st.binary(min_size=1, max_size=20))
def test_one_changed_byte_is_another_bundle(tmp_path_factory, name, more):
    folder = fill(tmp_path_factory.mktemp("bundle"), FILES)
    before = digest(folder)
    (folder / name).write_bytes(FILES[name] + more)
    assert digest(folder) != before


def test_what_is_in_the_folder_is_in_the_bundle(tmp_path):
    assert members(fill(tmp_path, FILES)) == FILES


def test_the_executable_bit_and_links_are_kept(tmp_path):
    fill(tmp_path, {"run.sh": b"#!/bin/sh\n", "plain.txt": b"x"})
    (tmp_path / "run.sh").chmod(0o755)
    (tmp_path / "link").symlink_to("plain.txt")
    with pack(tmp_path) as bundle, zipfile.ZipFile(bundle) as opened:
        modes = {each.filename: each.external_attr >> 16 for each in opened.infolist()}
        assert opened.read("link") == b"plain.txt"
    assert (oct(modes["run.sh"]), oct(modes["plain.txt"])) == ("0o100755", "0o100644")
    assert oct(modes["link"]) == "0o120777"


def test_environments_caches_and_version_control_stay_at_home(tmp_path):
    fill(
        tmp_path,
        {
            "a.py": b"", ".git/config": b"", ".venv/bin/python": b"", "lib/__pycache__/a.pyc": b"", "web/node_modules/x.js": b"",
            "left.pyc": b"", ".env": b"kept: it may be wanted",
        },
    )  # fmt: skip
    assert set(members(tmp_path)) == {"a.py", ".env"}


def test_flusterignore_leaves_out_by_name_by_path_and_by_folder(tmp_path):
    fill(
        tmp_path,
        {
            ".flusterignore": b"# big things\n*.bin\ndata/\ndocs/*.md\n\n",
            "a.py": b"", "weights.bin": b"", "sub/more.bin": b"", "data/rows.csv": b"", "docs/a.md": b"", "docs/a.txt": b"",
        },
    )  # fmt: skip
    assert set(members(tmp_path)) == {".flusterignore", "a.py", "docs/a.txt"}


def test_a_fifo_is_left_out_and_never_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    fill(tmp_path, {"a.py": b""})
    assert set(members(tmp_path)) == {"a.py"}


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(InvalidArgumentError, match=r"workspace: .*nowhere is not a folder"):
        pack(tmp_path / "nowhere")
