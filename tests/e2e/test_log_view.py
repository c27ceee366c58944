"""The log of a job in a real browser: reading up while it grows, links to lines, keys, wrap, times, and no script at all."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

ENDLESS = "import itertools, time\nfor i in itertools.count():\n    print('line', i)\n    time.sleep(0.005)"
AT_END = "() => { const box = document.getElementById('log'); return box.scrollTop + box.clientHeight >= box.scrollHeight - 20 }"


@pytest.fixture(scope="module")
def long_job(worker):
    """100,000 lines of stdout, some of them too long for one row, and one of stderr at the end."""
    program = (
        "import sys\nfor i in range(100_000): print('line', i, 'word ' * (60 if i % 10 == 0 else 3))\n"
        "print('last words', file=sys.stderr)"
    )
    job_id = worker.submit(program)
    worker.wait(job_id)
    return job_id


@pytest.fixture
def endless(worker):
    job_id = worker.submit(ENDLESS)
    yield job_id
    worker.kill(job_id)


def lines_of(worker, job_id):
    return sum(worker.job(job_id)["logs"]["lines"].values())


def test_a_reader_who_scrolls_up_stays_there_while_the_log_grows(page, worker, endless):
    worker.until(endless, lambda job: job["logs"]["lines"].get("stdout", 0) > 100)
    page.goto(f"{worker.url}/job/{endless}")
    follow = page.locator("#follow")
    expect(follow).to_have_text("following")
    page.wait_for_function(f"document.querySelectorAll('#log .line').length > 20 && ({AT_END})()")
    page.locator("#log").hover()
    page.mouse.wheel(0, -300)
    expect(follow).to_have_text("paused: follow")
    expect(follow).to_have_attribute("aria-pressed", "false")
    top = page.evaluate("document.getElementById('log').scrollTop")
    seen = lines_of(worker, endless)
    worker.until(endless, lambda job: job["logs"]["lines"]["stdout"] > seen + 100)
    page.wait_for_function("(top) => document.getElementById('log').scrollHeight > top + 2000", arg=top)
    assert abs(page.evaluate("document.getElementById('log').scrollTop") - top) < 200  # the wheel may still roll out
    follow.click()
    expect(follow).to_have_text("following")
    page.wait_for_function(AT_END)


def test_a_selection_outlives_the_lines_that_come(page, worker, endless):
    worker.until(endless, lambda job: job["logs"]["lines"].get("stdout", 0) > 100)
    page.goto(f"{worker.url}/job/{endless}#L20")
    expect(page.locator("#L20")).to_be_visible()
    page.locator("#L20 .text").dblclick(position={"x": 5, "y": 8})
    assert page.evaluate("getSelection().toString().trim()") == "line"
    seen = lines_of(worker, endless)
    worker.until(endless, lambda job: job["logs"]["lines"]["stdout"] > seen + 100)
    page.wait_for_function(f"document.getElementById('log').scrollHeight > {20 * (seen + 50)}")
    assert page.evaluate("getSelection().toString().trim()") == "line"


def test_100000_lines_do_not_freeze_the_page(page, worker, long_job):
    page.goto(f"{worker.url}/job/{long_job}")
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


def test_a_link_leads_to_its_line_of_many(page, worker, long_job):
    page.goto(f"{worker.url}/job/{long_job}#L50000")
    marked = page.locator("#log .marked")
    expect(marked).to_have_attribute("id", "L50000", timeout=30_000)
    expect(marked).to_be_in_viewport()
    expect(page.locator("#follow")).to_have_text("paused: follow")
    above = page.locator("#L49998")
    above.locator(".at").click()
    expect(marked).to_have_attribute("id", "L49998")
    assert page.url.endswith("#L49998")


def test_the_first_of_many_lines_can_be_reached(page, worker, long_job):
    page.goto(f"{worker.url}/job/{long_job}")
    expect(page.locator("#log")).to_contain_text("last words", timeout=30_000)
    expect(page.locator("#cut")).to_be_hidden()
    page.locator("#log").focus()
    page.keyboard.press("Home")
    expect(page.locator("#L2")).to_contain_text("line 0")
    assert page.locator("#log .line").count() < 200


def test_wrapped_lines_are_a_window_that_moves_with_the_reader(page, worker, long_job):
    page.goto(f"{worker.url}/job/{long_job}#L50002")
    expect(page.locator("#log .marked")).to_be_in_viewport(timeout=30_000)
    page.locator("#wrap").check()
    expect(page.locator("#log .marked")).to_be_in_viewport()
    expect(page.locator("#L50002 .text")).to_have_text("line 50000 " + "word " * 60)
    assert page.locator("#L50002").bounding_box()["height"] > 30
    page.locator("#log").hover()
    for _ in range(12):
        page.mouse.wheel(0, -4000)
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.wait_for_function("Number(document.querySelector('#log .line').id.slice(1)) < 49400")
    assert page.locator("#log .line").count() <= 2000
    numbers = page.evaluate("[...document.querySelectorAll('#log .line')].map((line) => Number(line.id.slice(1)))")
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_wrapped_or_not_the_end_is_followed(page, worker, endless):
    page.goto(f"{worker.url}/job/{endless}")
    page.locator("#wrap").check()
    seen = lines_of(worker, endless)
    page.wait_for_function(
        "(n) => Number(document.querySelector('#log .line:last-child')?.id.slice(1)) > n", arg=seen + 50
    )
    assert page.evaluate(AT_END)
    expect(page.locator("#follow")).to_have_text("following")


def test_tabs_work_by_keys_and_stand_in_the_address(page, worker, long_job):
    page.goto(f"{worker.url}/job/{long_job}#log=stderr")
    stderr, build, everything = (page.get_by_role("tab", name=name) for name in ("STDERR", "BUILD", "ALL"))
    expect(stderr).to_have_attribute("aria-selected", "true")
    expect(page.locator("#log .line .text")).to_have_text(["last words"])
    stderr.focus()
    page.keyboard.press("ArrowRight")
    expect(build).to_be_focused()
    expect(build).to_have_attribute("aria-selected", "true")
    assert page.url.endswith("#log=build")
    page.keyboard.press("Home")
    expect(everything).to_be_focused()
    expect(page.locator("#log")).to_have_attribute("aria-labelledby", "tab-all")


def test_a_bad_search_is_named_and_a_good_one_mends_it(page, worker, long_job):
    page.goto(f"{worker.url}/job/{long_job}")
    problems = page.locator("#connection")
    page.locator("#search").fill("line (")
    expect(problems).to_have_text("the worker refuses this search: is it a regular expression?")
    page.locator("#search").fill("line 4242 ")
    expect(page.locator("#log .line .text")).to_contain_text(["line 4242 "])
    expect(page.locator("#log .line")).to_have_count(1)
    expect(problems).to_be_hidden()


def test_times_are_utc_or_the_readers_own(page, worker):
    job_id = worker.submit("print('now')")
    worker.wait(job_id)
    page.goto(f"{worker.url}/job/{job_id}")
    at = page.locator("#log .line.stdout .at")
    stamp = page.evaluate(
        "async ([url]) => (await (await fetch(url)).json())[0].timestamp", [f"/api/jobs/{job_id}/logs?source=stdout"]
    )
    utc, local = page.evaluate(
        "(ms) => [0, 5.5].map((hours) => new Date(ms + hours * 3600000).toISOString().replace('T', ' ').slice(0, 23))",
        stamp,
    )
    expect(at).to_have_text(utc)
    page.locator("#local").check()
    expect(at).to_have_text(local)


def test_without_scripts_the_page_has_the_last_lines(browser, worker, long_job):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{worker.url}/job/{long_job}")
    expect(page.locator("#headline")).to_contain_text("Succeeded after")
    expect(page.locator("#log .line")).to_have_count(200)
    expect(page.locator("#log .line").last).to_contain_text("last words")
    expect(page.locator("[data-figure=memory]")).to_contain_text("peak")
    context.close()


def test_hostile_text_is_harmless_before_any_script_ran(browser, worker):
    program = r"print('\x1b[31mred\x1b[0m \x1b]0;title\x07<b>x</b> {{7*7}} \u202e \x00')"
    job_id = worker.submit(program, name="evil\u202egnp.exe<script>")
    worker.wait(job_id)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{worker.url}/job/{job_id}")
    expect(page.locator("#log .line.stdout .text")).to_have_text("red <b>x</b> {{7*7}} \ufffd ␀")
    expect(page.locator("#log .f31")).to_have_text("red")
    expect(page.locator("h1 bdi")).to_have_text("evil\ufffdgnp.exe<script>")
    context.close()
