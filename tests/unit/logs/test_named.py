"""The links by which an agent learns the names of jobs."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluster.logs.named import KEEP_SECONDS, Named

NOW = 1_795_453_731


def links(root):
    return sorted(os.listdir(root / ".named"))


@pytest.mark.parametrize(
    ("name", "link"),
    [("train", "j=train"), ("", "j="), ("a=b c", "j=a=b c"), ("../../etc", "j=.._.._etc"), ("a\nb\0\x1b\u202e", "j=a_b___")],
)  # fmt: skip
def test_the_name_stands_in_the_link(tmp_path, name, link):
    (tmp_path / "j").mkdir()
    (tmp_path / "j" / "job.log").write_text("x")
    named = Named(tmp_path)
    named.add("j", name)
    named.add("j", name)
    assert links(tmp_path) == [link]
    assert (tmp_path / ".named" / link / "job.log").read_text() == "x"
    assert os.readlink(tmp_path / ".named" / link) == "../j"


@given(st.text())
def test_any_name_makes_a_link(tmp_path_factory, name):
    root = tmp_path_factory.mktemp("logs")
    (root / "j").mkdir()
    Named(root).add("j", name)
    (link,) = links(root)
    assert link.startswith("j=")
    assert (root / ".named" / link).resolve() == (root / "j").resolve()


def test_links_of_jobs_that_are_gone_or_ended_long_ago_go(tmp_path):
    named = Named(tmp_path, clock=lambda: NOW)
    for job_id, written in (("old", NOW - KEEP_SECONDS), ("recent", NOW - 10), ("live", NOW - 2 * KEEP_SECONDS)):
        (tmp_path / job_id).mkdir()
        (tmp_path / job_id / "job.log").write_text("")
        os.utime(tmp_path / job_id / "job.log", (written, written))
        named.add(job_id, "n")
    named.add("gone", "n")
    named.tend({"live"})
    assert links(tmp_path) == ["live=n", "recent=n"]


def test_without_links_there_is_nothing_to_do(tmp_path):
    Named(tmp_path).tend(())
