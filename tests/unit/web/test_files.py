import os

import anyio
import pytest
from starlette.requests import Request

from fluster.job import JobState
from fluster.web import output as listing
from fluster.web.api.files import _opened, _path
from fluster.web.output import OutputLists, listed_output
from fluster.web.pages.rendering import Rendering
from tests.unit.pages.jobs import T0, S, job


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
    assert listed_output(moved).files == []


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
    assert listed.complete
    assert [(file["path"], file["quoted_path"], file["size"]) for file in listed.files] == [
        ("z", "z", 2), ("�", "%FF", 0), ("a/b/file", "a/b/file", 6),
    ]  # fmt: skip


def test_there_may_be_no_output_yet(tmp_path):
    assert listed_output(tmp_path / "none").files == []
    assert _opened(tmp_path / "none", "x") is None


def test_no_more_than_the_bound_is_looked_at_whatever_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(listing, "_MAX_SEEN", 5)
    for number in range(4):
        (tmp_path / f"folder-{number}").mkdir()
    (tmp_path / "file").write_text("")
    assert [file["path"] for file in listed_output(tmp_path).files] == ["file"]
    assert listed_output(tmp_path).complete
    (tmp_path / "folder-0/link").symlink_to("x")
    assert not listed_output(tmp_path).complete


def test_a_name_that_is_no_utf_8_is_found_by_its_bytes(output):
    (output / os.fsdecode(b"a/\xff%\xc3\xa4")).write_text("odd")
    (found,) = [file for file in listed_output(output).files if file["size"] == 3]
    assert found["quoted_path"] == "a/%FF%25%C3%A4"
    raw = f"/api/jobs/j/files/{found['quoted_path']}".encode()
    assert read(_opened(output, _path(Request({"type": "http", "raw_path": raw})))) == b"odd"


@pytest.mark.anyio
async def test_all_who_look_at_a_job_share_one_listing(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(listing, "listed_output", lambda path: made.append(path) or listed_output(path))
    lists = OutputLists(tmp_path, anyio.CapacityLimiter(2))
    assert (await lists.get(job(run_started_ns=None))).files == []
    assert made == []
    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(lists.get, job())
    assert made == [tmp_path / "j1/output"]
    over = job(JobState.SUCCEEDED, finished_ns=T0 + 9 * S)
    assert await lists.get(over) is await lists.get(over)
    assert len(made) == 2
    for number in range(40):
        await lists.get(job().evolve(id=f"o{number}"))
    assert len(lists._kept) == 32


@pytest.mark.anyio
async def test_the_pause_between_two_listings_grows_with_their_cost(tmp_path, monkeypatch):
    monkeypatch.setattr(listing, "_SHARE", 10**9)
    lists = OutputLists(tmp_path, anyio.CapacityLimiter(2))
    await lists.get(job())
    (kept,) = lists._kept.values()
    assert kept.again_at > listing.time.monotonic() + 1000
    assert not kept.stale(over=False)
    assert kept.stale(over=True)
    kept.again_at = 0.0
    assert kept.stale(over=False)


@pytest.mark.parametrize(
    ("complete", "count", "rest"),
    [(True, "<b>2</b>", "and 1 more"), (False, "<b>more than 2</b>", "and more than 1 more")],
)
def test_the_page_says_where_there_are_more_than_were_looked_at(output, complete, count, rest):
    (output / os.fsdecode(b"\xff")).write_text("")
    found = listing.OutputListing(listed_output(output).files, complete)
    html = Rendering("w", "v1").part("job", "files", job(), found, found.files[:1])
    assert count in html
    assert rest in html
    assert 'href="/api/jobs/j1/files/%FF"' in html
