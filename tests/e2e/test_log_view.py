"""The log of a job in a real browser: reading it while it grows, links, tabs, times, long lines, keys, and no script at all."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.log_page import MILLION, PARTLY, ended, line, number_of, open_log, part, see, seen, waiting
from tests.polling import until

pytestmark = pytest.mark.browser


def test_a_reader_who_scrolls_up_stays_there_and_hears_of_new_lines(page, worker, endless):
    open_log(page, worker, endless)
    follow = part(page, "follow")
    expect(follow).to_have_text("following")
    page.locator("#log").hover()
    page.mouse.wheel(0, -300)
    expect(follow).to_have_text(re.compile(r"paused, \d+ new lines?"))
    expect(follow).to_have_attribute("aria-pressed", "false")
    top = until(lambda: (now := seen(page)) == seen(page) and now)[0]  # the wheel may still roll out
    until(lambda: waiting(page) > 100)
    assert seen(page)[0] == top
    follow.click()
    expect(follow).to_have_text("following")
    last = until(lambda: seen(page))[-1]
    until(lambda: (seen(page) or [0])[-1] > last + 50)


def test_who_selects_lines_reads_them(page, worker, endless):
    open_log(page, worker, endless)
    page.locator("#log").hover()
    box, text = page.locator("#log").bounding_box(), page.locator("#log .line.stdout .text").last.bounding_box()
    page.mouse.dblclick(text["x"] + 8, box["y"] + box["height"] / 2)  # each line begins with the same word
    assert page.evaluate("getSelection().toString().trim()") == "line"
    expect(part(page, "follow")).to_have_text(re.compile("paused"))
    until(lambda: waiting(page) > 50)
    assert page.evaluate("getSelection().toString().trim()") == "line"


def test_a_million_lines_are_a_window_on_them(page, worker, million):
    last = number_of(page, worker, million, MILLION)
    open_log(page, worker, million)
    see(page, last)
    expect(line(page, last)).to_have_text(re.compile("last words"))
    page.locator("#log").focus()
    page.keyboard.press("Home")
    see(page, 1)
    page.locator("#log").hover()
    page.mouse.wheel(0, 2000)
    until(lambda: 90 < (seen(page) or [0])[0] < 130)
    page.keyboard.press("PageDown")
    until(lambda: 110 < (seen(page) or [0])[0] < 170)
    page.evaluate("(() => { const box = document.getElementById('log'); box.scrollTop = box.scrollHeight / 2 })()")
    until(lambda: abs((seen(page) or [0])[0] - MILLION / 2) < MILLION / 100)
    top = seen(page)[0]
    page.mouse.wheel(0, -200)
    until(lambda: seen(page)[:1] == [top - 10])
    assert page.locator("#log .line").count() < 150
    page.keyboard.press("End")
    see(page, last)
    expect(line(page, last - 1)).to_have_text(re.compile(f"line {MILLION - 1} of many"))


def test_a_link_to_a_line_survives_a_reload_and_a_tab(page, worker, million):
    number = number_of(page, worker, million, 750_000)
    open_log(page, worker, million, f"#L{number}")
    expect(page.locator("#log .marked")).to_contain_text("line 750000 of many")
    see(page, number)
    page.reload()
    see(page, number)
    line(page, number + 2).locator(".at").click()
    assert page.url.endswith(f"#L{number + 2}")
    line(page, number + 5).locator(".at").click(modifiers=["Shift"])
    assert page.url.endswith(f"#L{number + 2}-L{number + 5}")
    expect(page.locator("#log .marked")).to_have_count(4)
    (warning,) = page.request.get(f"{worker.url}/job/{million}/log?source=stderr").json()["lines"]
    open_log(page, worker, million, f"#stderr.L{warning['number']}")
    page.reload()
    expect(page.get_by_role("tab", selected=True)).to_contain_text("STDERR")
    expect(page.locator("#log .marked")).to_contain_text("a warning")


def test_an_error_line_of_the_headline_leads_to_the_log_each_time(page, worker):
    job_id = ended(worker, "import sys\nfor n in range(300): print('fine', n)\nsys.exit('broken')")
    page.set_viewport_size({"width": 1000, "height": 500})
    open_log(page, worker, job_id)
    error = page.locator("#headline .last a", has_text="broken")
    for _ in range(2):
        error.click()
        expect(page.locator("#log .marked")).to_be_in_viewport()
        expect(page.locator("#log .marked")).to_contain_text("broken")
        page.evaluate("scrollTo(0, 0)")
        page.locator("#log").press("Home")


def test_an_address_within_the_page_leads_to_its_line(page, worker, million):
    open_log(page, worker, million)
    page.evaluate("location.hash = '#L5000'")
    see(page, 5000)
    expect(page.locator("#log .marked")).to_have_attribute("data-number", "5000")


def test_tabs_work_by_keys_and_stand_in_the_address(page, worker, million):
    open_log(page, worker, million)
    page.get_by_role("tab", name=re.compile("ALL")).focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name=re.compile("STDOUT"))).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#log .line")).to_have_count(1)
    assert page.url.endswith("#stderr")
    page.keyboard.press("End")
    expect(page.get_by_role("tab", name=re.compile("BUILD"))).to_have_attribute("aria-selected", "true")
    expect(part(page, "download")).to_have_attribute("href", re.compile("source=build$"))
    expect(page.get_by_role("tab", name=re.compile("STDOUT"))).to_contain_text("1,000,001")


def test_times_are_utc_or_the_readers_own_or_since_the_beginning(page, worker):
    job_id = ended(worker, "print('now')")
    open_log(page, worker, job_id)
    at = page.locator("#log .line.stdout .at")
    entry = page.request.get(f"{worker.url}/api/jobs/{job_id}/logs?source=stdout").json()[0]
    day, clock = entry["time"][:10], entry["time"][11:23]
    expect(at.locator(".day")).to_have_text(day)
    expect(at.locator(".clock")).to_have_text(clock)
    expect(at).to_have_attribute("title", re.compile(f"{day} {entry['time'][11:29]} UTC"))
    part(page, "times").select_option("local")
    minutes = (int(clock[:2]) * 60 + int(clock[3:5]) + 330) % 1440  # Kolkata is five hours and a half ahead
    expect(at.locator(".clock")).to_have_text(f"{minutes // 60:02}:{minutes % 60:02}{clock[5:]}")
    page.reload()
    expect(at.locator(".clock")).to_have_text(f"{minutes // 60:02}:{minutes % 60:02}{clock[5:]}")
    part(page, "times").select_option("relative")
    expect(at.locator(".clock")).to_have_text(re.compile(r"^\+0:00:\d\d\.\d{3}$"))


def test_wrapped_lines_are_all_reached_and_the_end_is_followed(page, worker):
    job_id = ended(worker, "for n in range(400): print(n, 'word ' * (400 if n % 7 == 0 else 3))")
    first = number_of(page, worker, job_id, 0)
    open_log(page, worker, job_id)
    part(page, "wrap").check()
    see(page, first + 399)
    box = page.locator("#log")
    box.hover()
    met = set()

    def reached(wanted, step):
        met.update(seen(page, PARTLY))
        page.mouse.wheel(0, step)
        return wanted in seen(page)

    until(lambda: reached(1, -300))
    assert met == set(range(1, first + 400))
    met.clear()
    until(lambda: reached(first + 399, 300))
    expect(part(page, "follow")).to_have_text("end of the log")
    assert page.evaluate("document.getElementById('log').scrollWidth <= document.getElementById('log').clientWidth")
    page.reload()
    expect(part(page, "wrap")).to_be_checked()


def test_a_long_line_is_folded_until_the_reader_asks(page, worker):
    job_id = ended(worker, "print('x' * 100_000 + 'end'); print('y' * 2_000_000)")
    open_log(page, worker, job_id)
    long = line(page, number_of(page, worker, job_id, 0))
    assert len(long.inner_text()) < 2200
    long.get_by_role("button", name="97.7 KiB, show all").press("Enter")
    expect(long).to_contain_text("xend")
    long.get_by_role("button", name="fold").press("Enter")
    expect(long).not_to_contain_text("xend")
    longest = line(page, number_of(page, worker, job_id, 1))
    longest.get_by_role("button", name="1.9 MiB, show all").click()
    expect(longest).to_contain_text("cut, the download has all 1.9 MiB")
    assert len(longest.inner_text()) < 210_000


def test_lines_are_copied(page, worker):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    job_id = ended(worker, "print('\\x1b[32mone\\x1b[0m'); print('two'); print('three')")
    first = number_of(page, worker, job_id, 0)
    open_log(page, worker, job_id, "#stdout")
    part(page, "copy").click()
    expect(part(page, "status")).to_have_text("copied 3 lines")
    expect(part(page, "copy")).to_have_text("copied 3 lines")
    expect(part(page, "copy")).to_be_in_viewport()
    assert page.evaluate("navigator.clipboard.readText()") == "one\ntwo\nthree\n"
    line(page, first + 1).locator(".at").click()
    part(page, "copy").click()
    expect(part(page, "status")).to_have_text("copied 1 line")
    assert page.evaluate("navigator.clipboard.readText()") == "two\n"


def test_without_scripts_the_page_has_the_last_lines(browser, worker, million):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{worker.url}/job/{million}")
    expect(page.locator("#log .line")).to_have_count(200)
    expect(page.locator("#log .line").last).to_contain_text("last words")
    expect(page.locator("a", has_text="download")).to_be_visible()
    expect(part(page, "follow")).to_be_hidden()
    context.close()


def test_every_tool_is_reached_by_the_tab_key_and_shows_where_the_focus_is(page, worker, million):
    open_log(page, worker, million)
    page.get_by_role("tab", selected=True).focus()
    reached = []
    for _ in range(30):
        page.keyboard.press("Tab")
        name, outlined = page.evaluate(
            "() => { const at = document.activeElement; return [at.dataset.logPart ?? at.name ?? '', getComputedStyle(at).outlineStyle !== 'none'] }"
        )
        assert outlined, name
        reached.append(name)
        if name == "lines":
            break
    assert reached == ["follow", "search", "cased", "regex", "place", "times", "wrap", "copy", "download", "lines"]
    page.get_by_role("tab", selected=True).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("needle")
    expect(part(page, "hits")).to_have_text("4 of 4")
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")  # previous hit
    expect(part(page, "hits")).to_have_text("3 of 4")
