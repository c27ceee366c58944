import re

import pytest

from fluster.job import JobRequest, JobState
from fluster.web.pages.machine import Fact
from fluster.web.pages.phases import phases, pieces
from fluster.web.pages.rendering import Rendering
from fluster.web.pages.row import row
from tests.unit.pages.jobs import T0, S, job

EVIL = "<script>alert(1)</script>{{7*7}}\"'\u202e\x00"


@pytest.fixture
def rendering():
    return Rendering("w", "v1")


def test_a_part_is_one_element_with_its_name(rendering):
    live = job()
    parts = {
        "machine": rendering.part("jobs", "machine", [Fact("Slots", "1 of 4", 0.25)]),
        "empty": rendering.part("jobs", "empty", False, False),
        "row-j1": rendering.part("jobs", "row", row(live, T0)),
        "phases": rendering.part("job", "phases", phases(live, T0), pieces(phases(live, T0))),
        "title": rendering.part("job", "title", live),
    }
    for name, html in parts.items():
        assert re.match(rf'<(\w+) id="{name}"', html)
        assert html == html.strip()


def test_text_of_a_job_is_inert_in_a_part(rendering):
    html = rendering.part("jobs", "row", row(job(request=JobRequest(name=EVIL, command=("x",))), T0))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}&#34;&#39;\ufffd␀" in html
    assert "<script" not in html


def test_a_row_has_no_style_and_no_script(rendering):
    html = rendering.part("jobs", "row", row(job(JobState.SUCCEEDED, finished_ns=T0 + 9 * S), T0))
    assert not re.search(r"\bstyle=|\bon\w+=", html)


@pytest.mark.parametrize(
    ("newer", "older", "links"),
    [
        (None, None, []),
        ("/", "/?cursor=1", ["/", "/?cursor=1"]),
        (None, "/?text=a&cursor=1", ["/?text=a&amp;cursor=1"]),
    ],
)
def test_paging_leads_where_there_is_something(rendering, newer, older, links):
    html = rendering.part("jobs", "paging", newer, older)
    assert re.findall(r'href="([^"]*)"', html) == links
    assert (" hidden>" in html) == (not links)


def test_what_to_do_next_is_said_where_there_are_no_jobs(rendering):
    assert "fluster submit" in rendering.part("jobs", "empty", False, False)
    assert "all jobs" in rendering.part("jobs", "empty", False, True)
    assert " hidden>" in rendering.part("jobs", "empty", True, False)
