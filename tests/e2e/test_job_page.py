"""The upper half of the job page in a real browser: outcome, last words, phases, figures, facts, files, and killing after asking."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture
def url(worker):
    return worker.url


@pytest.fixture
def endless(worker):
    job_id = worker.run("sh", "-c", "while :; do echo tick; sleep 0.2; done", name="endless")
    worker.until(job_id, lambda job: job["status"] == "running")
    yield job_id
    worker.kill(job_id)


def test_it_follows_a_job_to_its_end_and_says_why_it_failed(page, worker, url):
    program = "import sys, time; time.sleep(2)\nfor i in range(8): print('\\x1b[31mbad\\x1b[0m', i, file=sys.stderr)\nsys.exit(3)"
    job_id = worker.submit(program, name="fails")
    page.goto(f"{url}/job/{job_id}")
    expect(page.locator("#headline")).to_contain_text(re.compile(r"Running for \d+\.\d s"), timeout=15_000)
    expect(page).to_have_title("fails running · Fluster")
    expect(page.locator("#headline")).to_contain_text(
        re.compile(r"Failed: exit 3 after 2\.\d s; peak "), timeout=15_000
    )
    expect(page).to_have_title("fails failed · Fluster")
    expect(page.locator("#headline .last code")).to_have_text([f"bad {number}" for number in range(2, 8)])
    expect(page.locator("#headline .error")).to_have_count(0)  # the headline says it
    link = page.locator("#headline .last a").first
    number = link.get_attribute("href").removeprefix("#L")
    link.click()
    expect(page.locator(f"#log .line[data-number='{number}']")).to_contain_text("bad 2")
    expect(page.locator("#kill")).to_have_count(0)


def test_phases_are_a_bar_with_a_legend(page, url, endless):
    page.goto(f"{url}/job/{endless}")
    expect(page.locator("#phases li")).to_contain_text(["queued", "building", "running"])
    expect(page.locator("#phases rect")).to_have_count(3)
    widths = [each.bounding_box()["width"] for each in page.locator("#phases rect").all()]
    assert min(widths) >= 10
    assert widths[2] > widths[1]
    running = page.locator("[data-phase=running] [data-since]")
    first = running.inner_text()
    expect(running).not_to_have_text(first)


def test_figures_say_what_they_mean_by_mouse_and_keys(page, url, endless):
    page.goto(f"{url}/job/{endless}")
    figure = page.locator("[data-figure=memory]")
    expect(figure).to_contain_text("peak", timeout=15_000)
    help_text = figure.locator(".help p")
    expect(help_text).to_be_hidden()
    figure.locator("summary").click()
    expect(help_text).to_contain_text("Memory charged to the job")
    # It stays open while the figures change under it.
    page.evaluate("window.seen = document.querySelector('[data-figure=cpu]').textContent")
    page.wait_for_function("() => document.querySelector('[data-figure=cpu]').textContent !== window.seen")
    expect(help_text).to_be_visible()
    page.locator("h1").click()
    expect(help_text).to_be_hidden()
    figure.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(help_text).to_be_visible()
    page.keyboard.press("Escape")
    expect(help_text).to_be_hidden()
    expect(figure.locator("summary")).to_be_focused()


def test_it_is_killed_by_keys_after_asking(page, worker, url):
    job_id = worker.run("sh", "-c", "trap '' TERM; while :; do sleep 0.1; done", graceSeconds=1)
    worker.until(job_id, lambda job: job["status"] == "running")
    page.goto(f"{url}/job/{job_id}")
    dialog, kill = page.get_by_role("dialog"), page.get_by_role("button", name="Kill…")
    kill.focus()
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("SIGTERM")
    expect(dialog).to_contain_text("after its grace period of 1.0 s are killed (SIGKILL)")
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(kill).to_be_focused()
    assert worker.job(job_id)["status"] == "running"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Kill it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#headline")).to_contain_text("Killed on request after", timeout=20_000)
    expect(kill).to_have_count(0)
    expect(page.locator("#kill-note")).to_be_hidden()


def test_why_a_kill_was_refused_is_said(page, url, endless):
    page.goto(f"{url}/job/{endless}")
    page.route(
        "**/kill", lambda route: route.fulfill(status=404, json={"error": "there is no such job", "code": "not_found"})
    )
    page.locator("#kill").click()
    page.locator("#confirm-yes").click()
    expect(page.get_by_role("alert")).to_have_text("Not killed: there is no such job")


def test_output_files_are_links_and_many_are_counted(page, worker, url):
    program = "import os, pathlib\nout = pathlib.Path(os.environ['FLUSTER_OUTPUT_DIR'])\nfor i in range(103): (out / f'a {i:03}?.txt').write_text('x' * 2048)"
    job_id = worker.submit(program)
    worker.wait(job_id)
    page.goto(f"{url}/job/{job_id}")
    page.locator("#files summary").click()
    expect(page.locator("#files summary")).to_have_text("Output files 103")
    expect(page.locator("#files li")).to_have_count(100)
    expect(page.locator("#files li").first).to_have_text("a 000?.txt 2.0 KiB")
    expect(page.locator("#files")).to_contain_text("and 3 more")
    with page.expect_download() as download:
        page.locator("#files li a").first.click()
    assert download.value.path().read_text() == "x" * 2048


def test_output_files_come_when_the_job_has_written_them(page, worker, url):
    job_id = worker.run("sh", "-c", "sleep 1; echo x > $FLUSTER_OUTPUT_DIR/late.txt")
    page.goto(f"{url}/job/{job_id}")
    page.locator("#files summary").click()
    expect(page.locator("#files")).to_contain_text("None yet")
    expect(page.locator("#files a")).to_have_text("late.txt", timeout=15_000)
    expect(page.locator("#files li")).to_be_visible()  # what was opened stays open


def test_facts_name_what_was_asked_for(page, worker, url):
    job_id = worker.run(
        "sh",
        "-c",
        "exit 0",
        resources={"memory": "128m"},
        timeoutSeconds=90,
        environment={"envVars": {"API_TOKEN": "hunter2", "MODE": "fast"}},
    )
    worker.wait(job_id)
    page.goto(f"{url}/job/{job_id}")
    page.locator("#facts summary").click()
    facts = page.locator("#facts")
    for text in ("sh -c 'exit 0'", "memory 128 MiB", "1 min 30 s", "API_TOKEN •••••• hidden", "MODE fast"):
        expect(facts).to_contain_text(text)
    assert "hunter2" not in page.content()


def test_the_id_can_be_copied(page, worker, url):
    job_id = worker.run("true")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{url}/job/{job_id}")
    page.get_by_role("button", name="Copy the job's id").click()
    expect(page.locator(".copy")).to_have_text("copied")
    assert page.evaluate("navigator.clipboard.readText()") == job_id


def test_without_scripts_it_has_everything_but_buttons_that_need_them(browser, worker, url):
    job_id = worker.run("sh", "-c", "echo why >&2; exit 3")
    worker.wait(job_id)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{url}/job/{job_id}")
    expect(page.locator("#headline")).to_contain_text("Failed: exit 3")
    expect(page.locator("#headline .last")).to_contain_text("why")
    expect(page.locator("[data-figure=memory]")).to_contain_text("peak")
    page.locator("#facts summary").click()
    expect(page.locator("#facts")).to_contain_text("Grace")
    expect(page.locator(".copy")).to_be_hidden()
    context.close()
