"""The list of jobs in a real browser: live rows that stay the same elements, a filter that stands in the address, pages, keys, no script."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture
def url(worker):
    return worker.url


@pytest.fixture(scope="module")
def many(worker):
    """120 short jobs named many-000 to many-119."""
    ids = [worker.run("true", name=f"many-{number:03}") for number in range(120)]
    for job_id in ids:
        worker.wait(job_id)
    return ids


def row(page, job_id):
    return page.locator(f"[id='row-{job_id}']")


def names(page):
    return page.locator("#jobs tr:not([hidden]) bdi").all_inner_texts()


def test_it_shows_jobs_live(page, worker, url):
    page.goto(url)
    job_id = worker.run("sh", "-c", "sleep 1; exit 3", name="watched")
    expect(row(page, job_id)).to_contain_text("watched")
    expect(page.locator("#jobs tr").first).to_have_id(f"row-{job_id}")
    expect(row(page, job_id).locator(".state")).to_have_text("failed", timeout=15_000)
    expect(row(page, job_id)).to_contain_text("exit 3")
    row(page, job_id).click(position={"x": 900, "y": 20})  # all of the row is the link
    expect(page.locator("#headline")).to_contain_text("Failed: exit 3")


def test_rows_are_changed_in_place_and_keep_the_focus(page, worker, url):
    job_id = worker.run("sh", "-c", "sleep 600", name="stays")
    worker.until(job_id, lambda job: job["status"] == "running")
    page.goto(url)
    link = row(page, job_id).get_by_role("link")
    link.focus()
    page.evaluate("(id) => { document.getElementById(id).mine = true }", f"row-{job_id}")
    other = worker.run("true", name="newer")
    expect(row(page, other).locator(".state")).to_have_text("succeeded", timeout=15_000)
    worker.kill(job_id)
    expect(row(page, job_id).locator(".state")).to_have_text("killed", timeout=15_000)
    expect(row(page, job_id)).to_contain_text("killed on request")
    assert page.evaluate("(id) => document.getElementById(id).mine", f"row-{job_id}")
    expect(link).to_be_focused()


def test_the_duration_of_a_running_job_ticks_and_that_of_an_ended_one_stands(page, worker, url):
    job_id = worker.run("sleep", "600")
    worker.until(job_id, lambda job: job["status"] == "running")
    page.goto(url)
    time = row(page, job_id).locator("[data-since]")
    expect(time).to_have_text(re.compile(r"^[2-9]\.\d s$"), timeout=15_000)
    worker.kill(job_id)
    expect(time).to_have_count(0, timeout=15_000)


def test_the_worker_line_the_counts_and_the_title_are_live(page, worker, url):
    page.goto(url)
    expect(page.locator("[data-machine=Slots]")).to_contain_text("0 of", timeout=15_000)
    for name in ("Queue", "CPU", "Memory", "Disk", "Runtime", "Version"):
        expect(page.locator(f"[data-machine={name}] dd")).not_to_be_empty()
    job_id = worker.run("sleep", "600")
    expect(page.locator("[data-machine=Slots]")).to_contain_text("1 of", timeout=15_000)
    expect(page.locator("#states .running b")).to_have_text("1")
    expect(page).to_have_title("1 running · Fluster")
    worker.kill(job_id)
    expect(page.locator("#states .running b")).to_have_text("0", timeout=15_000)


def test_typing_filters_at_once_and_the_address_says_it(page, many, url):
    page.goto(url)
    page.evaluate("window.mine = true")
    field = page.get_by_role("searchbox")
    field.press_sequentially("MANY-01")
    expect(page.locator("#jobs tr")).to_have_count(10)
    expect(page).to_have_url(f"{url}/?text=MANY-01")
    expect(field).to_be_focused()
    page.get_by_role("checkbox", name="failed", exact=False).first.check()
    expect(page.locator("#jobs tr")).to_have_count(0)
    expect(page.locator("#empty")).to_contain_text("No job matches")
    expect(page).to_have_url(f"{url}/?text=MANY-01&state=failed")
    page.get_by_role("checkbox", name="succeeded").check()
    expect(page.locator("#jobs tr")).to_have_count(10)
    assert page.evaluate("window.mine")
    page.reload()
    expect(page.locator("#jobs tr")).to_have_count(10)
    expect(field).to_have_value("MANY-01")
    expect(page.get_by_role("checkbox", name="succeeded")).to_be_checked()


def test_a_filtered_list_shows_what_comes_to_it_and_lets_go_what_leaves_it(page, worker, url):
    page.goto(f"{url}/?state=running&text=passing")
    expect(page.locator("#empty")).to_be_visible()
    other = worker.run("sleep", "600", name="other")
    job_id = worker.run("sleep", "600", name="passing-through")
    expect(row(page, job_id)).to_be_visible(timeout=15_000)
    expect(page.locator("#empty")).to_be_hidden()
    worker.kill(job_id)
    expect(row(page, job_id)).to_have_count(0, timeout=15_000)
    expect(page.locator("#jobs tr")).to_have_count(0)
    worker.kill(other)


def test_pages_of_fifty_lead_on_and_back_with_the_filter(page, many, url):
    page.goto(f"{url}/?text=many-")
    expect(page.locator("#jobs tr")).to_have_count(50)
    assert names(page) == [f"many-{number:03}" for number in range(119, 69, -1)]
    expect(page.get_by_role("link", name="Newer")).to_have_count(0)
    page.get_by_role("link", name="Older").click()
    assert names(page) == [f"many-{number:03}" for number in range(69, 19, -1)]
    page.get_by_role("link", name="Older").click()
    assert names(page) == [f"many-{number:03}" for number in range(19, -1, -1)]
    expect(page.get_by_role("link", name="Older")).to_have_count(0)
    assert "text=many-" in page.url
    page.get_by_role("link", name="Newer").click()
    assert names(page)[0] == "many-069"
    page.get_by_role("link", name="Newer").click()
    expect(page).to_have_url(f"{url}/?text=many-")


def test_an_older_page_is_live(page, worker, url):
    job_id = worker.run("sleep", "600", name="paged-old")
    newer = [worker.run("true", name=f"paged-{number}") for number in range(50)]
    worker.wait(newer[-1])
    page.goto(f"{url}/?text=paged-")
    page.get_by_role("link", name="Older").click()
    expect(page.locator("#jobs tr")).to_have_count(1)
    worker.kill(job_id)
    expect(row(page, job_id).locator(".state")).to_have_text("killed", timeout=15_000)


def test_it_works_by_keys_alone(page, many, url):
    page.goto(f"{url}/?text=many-11")
    expect(page.locator("#jobs tr")).to_have_count(10)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.get_by_role("searchbox").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("checkbox", name="pending")).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page).to_have_url(f"{url}/?text=many-11&state=succeeded")
    expect(page.locator("#jobs tr")).to_have_count(10)
    for _ in range(5):
        page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="many-119")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("many-119")


def test_without_scripts_it_is_a_form_and_links(browser, many, url):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    page.get_by_role("searchbox").fill("many-")
    page.get_by_role("checkbox", name="succeeded").check()
    page.get_by_role("button", name="Filter").click()
    assert re.search(r"/\?text=many-&state=succeeded$", page.url)
    assert len(names(page)) == 50
    page.get_by_role("link", name="Older").click()
    assert names(page)[0] == "many-069"
    page.get_by_role("link", name="many-069").click()
    expect(page.locator("#headline")).to_contain_text("Succeeded after")
    context.close()


def test_memory_has_used_peak_and_limit_in_words_and_a_bar(page, worker, url):
    job_id = worker.submit("x = bytearray(60 << 20)", resources={"memory": "128m"})
    worker.wait(job_id)
    page.goto(url)
    cell = row(page, job_id).locator("td").nth(4)
    expect(cell).to_have_text(re.compile(r"^[4-9]\d\.\d / 128 MiB peak$"))
    expect(cell).to_have_attribute("title", re.compile(r"^peak [4-9]\d\.\d MiB, limit 128 MiB$"))
    bar, mark = cell.locator("rect").all()
    assert 40 < float(bar.get_attribute("width").removesuffix("%")) < 75
    assert mark.get_attribute("x") == bar.get_attribute("width")
