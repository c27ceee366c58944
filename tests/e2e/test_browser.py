"""The pages in a real browser, on a real worker."""

import os
import re
import shutil
import signal
import subprocess
import sys

import httpx2
import pytest
from playwright.sync_api import expect, sync_playwright

pytestmark = pytest.mark.browser
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
RUN = "/fluster.v1.WorkerService/RunJob"


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    home = tmp_path_factory.mktemp("worker")
    env = {
        **os.environ,
        "XDG_STATE_HOME": str(home),
        "XDG_CACHE_HOME": str(home),
        "FLUSTER_WORKER_ID": f"browser-{os.getpid()}",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "fluster", "worker", "--port", "0", "--runtime", "process", "--stats-interval", "200ms"],
        env=env, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield next(found[0] for line in process.stderr if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


@pytest.fixture(scope="module")
def browser():
    chromium = shutil.which("chromium")
    if chromium is None and os.environ.get("FLUSTER_TEST_ALLOW_MISSING"):
        pytest.skip("chromium is missing, and FLUSTER_TEST_ALLOW_MISSING is set")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium or "/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(params=["light", "dark"])
def page(browser, request):
    context = browser.new_context(color_scheme=request.param)
    page = context.new_page()
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda message: (
            problems.append(message.text) if message.type == "error" and "404" not in message.text else None
        ),
    )
    page.on("dialog", lambda dialog: problems.append(f"dialog {dialog.message}"))
    yield page
    context.close()
    assert problems == []


def submit(url, *command, **more):
    return httpx2.post(url + RUN, json={"command": list(command), **more}).raise_for_status().json()["jobId"]


def wait(url, job_id):
    import time

    deadline = time.monotonic() + 60
    while (job := httpx2.get(f"{url}/api/jobs/{job_id}").json())["finished_at"] is None:
        assert time.monotonic() < deadline
    return job


def test_the_list_shows_jobs_live(page, url):
    page.goto(url)
    job_id = submit(url, "sh", "-c", "sleep 1; exit 3", name="watched")
    row = page.locator(f"tr[data-job='{job_id}']")
    expect(row).to_contain_text("watched")
    expect(row.locator(".state")).to_have_text("failed", timeout=15000)
    expect(row).to_contain_text("exit 3")
    row.locator("a").click()
    expect(page.locator("#headline")).to_contain_text("Failed: exit 3")
    page.goto(f"{url}/?state=succeeded")
    expect(page.locator(f"tr[data-job='{job_id}']")).to_have_count(0)


def test_the_job_page_follows_the_log_and_kills_after_asking(page, url):
    job_id = submit(url, "sh", "-c", "i=0; while :; do i=$((i+1)); echo out $i; echo err $i >&2; sleep 0.1; done")
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
    assert httpx2.get(f"{url}/api/jobs/{job_id}").json()["status"] == "running"
    page.locator("#kill").click()
    page.locator("#confirm-yes").click()
    expect(page.locator("#headline")).to_contain_text("Killed: killed on request", timeout=20000)
    expect(page.locator("#kill")).to_be_hidden()


def test_hostile_text_is_inert_and_ansi_is_colour(page, url):
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}\u202e"
    program = f"print({evil!r}); print('\\x1b[31mred\\x1b[0m plain \\x00 nul')"
    job_id = submit(url, "python", "-c", program, name=evil)
    wait(url, job_id)
    page.goto(f"{url}/job/{job_id}")
    expect(page.locator("#log")).to_contain_text("<script>alert(2)</script>{{7*7}}")
    expect(page.locator("#log .f31")).to_have_text("red")
    expect(page.locator("h1")).to_contain_text("<img src=x")
    page.goto(url)
    expect(page.locator(f"tr[data-job='{job_id}']")).to_contain_text("<img src=x")


def test_100000_lines_do_not_freeze_the_page(page, url):
    job_id = submit(url, "python", "-c", "for i in range(100000): print('line', i)")
    wait(url, job_id)
    page.goto(f"{url}/job/{job_id}")
    expect(page.locator("#log")).to_contain_text("line 99999", timeout=20000)
    page.locator("#search").fill("line")
    expect(page.locator("#log")).to_contain_text("line 99999", timeout=30000)
    assert page.locator("#log .line").count() < 500
    slowest = page.evaluate(
        "() => new Promise(done => { let worst = 0, last = performance.now(), n = 0; const step = now => { worst = Math.max(worst, now - last); "
        "last = now; document.getElementById('log').scrollTop = n * 20000; ++n < 60 ? requestAnimationFrame(step) : done(worst) }; requestAnimationFrame(step) })"
    )
    print(f"slowest frame while scrolling 100,000 lines: {slowest:.0f} ms")
    assert slowest < 5000


def test_an_unknown_job_is_a_page(page, url):
    assert page.goto(f"{url}/job/none").status == 404
    expect(page.locator("h1")).to_have_text("Not found")


def test_it_fits_a_phone(page, url):
    job_id = submit(url, "sh", "-c", "echo hi")
    wait(url, job_id)
    page.set_viewport_size({"width": 320, "height": 640})
    for path in ("/", f"/job/{job_id}"):
        page.goto(url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
