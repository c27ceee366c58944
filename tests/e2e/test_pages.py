"""The list and the job page in a real browser, light and dark, on a real worker."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("color_scheme", ["light", "dark"])]


@pytest.fixture
def url(worker):
    return worker.url


def test_the_list_shows_jobs_live(page, worker, url):
    page.goto(url)
    job_id = worker.run("sh", "-c", "sleep 1; exit 3", name="watched")
    row = page.locator(f"tr[data-job='{job_id}']")
    expect(row).to_contain_text("watched")
    expect(row.locator(".state")).to_have_text("failed", timeout=15000)
    expect(row).to_contain_text("exit 3")
    row.locator("a").click()
    expect(page.locator("#headline")).to_contain_text("Failed: exit 3")
    page.goto(f"{url}/?state=succeeded")
    expect(page.locator(f"tr[data-job='{job_id}']")).to_have_count(0)


def test_the_job_page_follows_the_log_and_kills_after_asking(page, worker, url):
    job_id = worker.run("sh", "-c", "i=0; while :; do i=$((i+1)); echo out $i; echo err $i >&2; sleep 0.1; done")
    page.goto(f"{url}/job/{job_id}")
    expect(page.locator("#log")).to_contain_text("out 3", timeout=15000)
    expect(page.locator("[data-figure=memory]")).to_contain_text("peak", timeout=15000)
    page.get_by_role("tab", name=re.compile("STDERR")).click()
    expect(page.locator("#log")).to_contain_text("err 5", timeout=15000)
    expect(page.locator("#log")).not_to_contain_text("out 1")
    assert page.url.endswith("#log=stderr")
    page.locator("#search").fill("err 1$")
    expect(page.locator("#log .line")).to_have_count(1)
    page.locator("#kill").click()
    page.locator("#confirm-no").click()
    assert worker.job(job_id)["status"] == "running"
    page.locator("#kill").click()
    page.locator("#confirm-yes").click()
    expect(page.locator("#headline")).to_contain_text("Killed: killed on request", timeout=20000)
    expect(page.locator("#kill")).to_be_hidden()


def test_hostile_text_is_inert_and_ansi_is_colour(page, worker, url):
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}\u202e"
    program = f"print({evil!r}); print('\\x1b[31mred\\x1b[0m plain \\x00 nul')"
    job_id = worker.submit(program, name=evil)
    worker.wait(job_id)
    page.goto(f"{url}/job/{job_id}")
    expect(page.locator("#log")).to_contain_text("<script>alert(2)</script>{{7*7}}")
    expect(page.locator("#log .f31")).to_have_text("red")
    expect(page.locator("h1")).to_contain_text("<img src=x")
    page.goto(url)
    expect(page.locator(f"tr[data-job='{job_id}']")).to_contain_text("<img src=x")


def test_an_unknown_job_is_a_page(page, url):
    assert page.goto(f"{url}/job/none").status == 404
    expect(page.locator("h1")).to_have_text("Not found")


def test_it_fits_a_phone(page, worker, url):
    job_id = worker.run("sh", "-c", "echo hi")
    worker.wait(job_id)
    page.set_viewport_size({"width": 320, "height": 640})
    for path in ("/", f"/job/{job_id}"):
        page.goto(url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
