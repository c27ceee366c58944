"""The log of a job in a real browser: reading it while it grows, places and links, search, times, long lines, keys, and no script at all."""

import re

import pytest
from playwright.sync_api import expect

from tests.polling import until

pytestmark = pytest.mark.browser

ENDLESS = "import itertools, time\nfor i in itertools.count():\n    print('line', i)\n    time.sleep(0.005)"
SEEN = """() => {
  const box = document.getElementById('log'), edge = box.getBoundingClientRect();
  const inside = (line) => { const at = line.getBoundingClientRect(); return at.top >= edge.top - 1 && at.bottom <= edge.top + box.clientHeight + 1 };
  return [...box.querySelectorAll('.line[data-number]')].filter(inside).map((line) => Number(line.dataset.number));
}"""
PARTLY = SEEN.replace("at.top >= edge.top - 1", "at.bottom > edge.top").replace(
    "at.bottom <= edge.top + box.clientHeight + 1", "at.top < edge.top + box.clientHeight"
)
MILLION = 1_000_000


@pytest.fixture(scope="module")
def million(worker):
    """A million lines of stdout and one of stderr, somewhere."""
    program = (
        "import sys\n"
        "print('a warning', file=sys.stderr, flush=True)\n"
        "for block in range(0, 1_000_000, 10_000):\n"
        "    sys.stdout.write(''.join(f'line {n} of many{\" needle\" if n % 250_000 == 7 else \"\"}\\n' for n in range(block, block + 10_000)))\n"
        "print('last words')"
    )
    job_id = worker.submit(program)
    worker.wait(job_id)
    return job_id


@pytest.fixture
def endless(worker):
    job_id = worker.submit(ENDLESS)
    worker.until(job_id, lambda job: job["logs"]["lines"].get("stdout", 0) > 100)
    yield job_id
    worker.kill(job_id)


def ended(worker, program, **more):
    job_id = worker.submit(program, **more)
    worker.wait(job_id)
    return job_id


def part(page, name):
    return page.locator(f"[data-log-part={name}]")


def line(page, number):
    return page.locator(f"#log .line[data-number='{number}']")


def number_of(page, worker, job_id, row, source="stdout"):
    """The number, in the whole log, of a line of one stream."""
    answer = page.request.get(f"{worker.url}/job/{job_id}/log?source={source}&start={row}&limit=1")
    return answer.json()["lines"][0]["number"]


def seen(page, how=SEEN):
    """The numbers of the lines in the window."""
    return page.evaluate(how)


def waiting(page):
    """How many lines came since the reader left the end."""
    return int(re.sub(r"\D", "", part(page, "follow").inner_text()) or 0)


def see(page, number):
    """Waits until the line is in the window."""
    until(lambda: number in seen(page))


def open_log(page, worker, job_id, place=""):
    page.goto(f"{worker.url}/job/{job_id}{place}")
    page.locator("#log .rows .line:not(.waiting)").first.wait_for(state="attached")


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


def test_a_search_goes_through_all_of_it_and_from_hit_to_hit(page, worker, million):
    hits = [number_of(page, worker, million, n) for n in range(7, MILLION, 250_000)]
    open_log(page, worker, million)
    page.keyboard.press("/")
    expect(part(page, "search")).to_be_focused()
    page.keyboard.type("NEEDLE")
    expect(part(page, "hits")).to_have_text("4 of 4")  # who is at the end wants the last one
    see(page, hits[3])
    expect(line(page, hits[3]).locator("mark")).to_have_text("needle")
    page.keyboard.press("Enter")
    expect(part(page, "hits")).to_have_text("1 of 4")
    see(page, hits[0])
    page.keyboard.press("Enter")
    see(page, hits[1])
    page.keyboard.press("Shift+Enter")
    see(page, hits[0])
    expect(page.locator("#log .current")).to_have_attribute("data-number", str(hits[0]))
    part(page, "cased").click()
    expect(part(page, "hits")).to_have_text("no hits")
    part(page, "search").fill("needle")
    part(page, "previous").click()
    page.get_by_role("tab", name=re.compile("STDOUT")).click()
    expect(part(page, "hits")).to_have_text("4 of 4")
    see(page, hits[3])


def test_more_hits_than_are_kept_are_walked_through_in_both_ways(page, worker, million):
    earlier, later, here = (number_of(page, worker, million, n) for n in (499_980, 499_990, 500_000))
    open_log(page, worker, million, f"#L{here}")
    see(page, here)
    part(page, "search").fill("0 of many")
    expect(part(page, "hits")).to_have_text("over 10,000 hits")
    expect(page.locator("#log .current")).to_have_attribute("data-number", str(later))
    page.keyboard.press("Shift+Enter")
    expect(page.locator("#log .current")).to_have_attribute("data-number", str(earlier))
    page.keyboard.press("Enter")
    expect(page.locator("#log .current")).to_have_attribute("data-number", str(later))


def test_an_expression_is_asked_for_and_a_bad_one_named(page, worker, million):
    open_log(page, worker, million)
    part(page, "search").fill("line (4|77) of")
    expect(part(page, "hits")).to_have_text("no hits")
    part(page, "regex").click()
    expect(part(page, "hits")).to_have_text("2 of 2")
    see(page, number_of(page, worker, million, 77))
    part(page, "search").fill("(")
    expect(part(page, "hits")).to_have_text(re.compile("grep: .* is not a regular expression"))
    part(page, "search").fill("line 4 of")
    expect(part(page, "hits")).to_have_text("1 of 1")
    part(page, "search").press("Escape")
    expect(part(page, "hits")).to_have_text("")
    expect(page.locator("#log mark")).to_have_count(0)


def test_lines_that_come_are_searched_and_the_place_among_the_hits_is_kept(page, worker, endless):
    open_log(page, worker, endless, "#L2")
    see(page, 2)
    part(page, "search").fill("line [0-9]*0$")
    part(page, "regex").click()

    def place():
        found = re.fullmatch(r"([0-9,]+) of ([0-9,]+)", part(page, "hits").inner_text())
        return found and [int(each.replace(",", "")) for each in found.groups()]

    first = until(place)
    until(lambda: (place() or first)[1] > first[1] + 5)
    assert place()[0] == first[0]
    numbers = []
    for _ in range(5):
        before = page.locator("#log .current").get_attribute("data-number")
        part(page, "next").click()
        expect(page.locator("#log .current")).not_to_have_attribute("data-number", before)
        numbers.append(int(page.locator("#log .current").get_attribute("data-number")))
    assert numbers == list(range(numbers[0], numbers[0] + 50, 10))


def test_steps_come_one_after_the_other(page, worker, million):
    here = number_of(page, worker, million, 500_000)
    open_log(page, worker, million, f"#L{here}")
    see(page, here)
    part(page, "search").fill("0 of many")
    expect(part(page, "hits")).to_have_text("over 10,000 hits")
    at = int(page.locator("#log .current").get_attribute("data-number"))
    for _ in range(12):
        part(page, "previous").click()
    expect(page.locator("#log .current")).to_have_attribute("data-number", str(at - 120))


def test_a_time_leads_to_its_line(page, worker):
    job_id = ended(worker, "import time\nfor n in range(60):\n    print('line', n); time.sleep(0.02)")
    open_log(page, worker, job_id)
    entries = page.request.get(f"{worker.url}/job/{job_id}/log?source=stdout").json()["lines"]
    wanted = entries[30]
    ms = int(wanted["ns"]) // 10**6
    utc = page.evaluate("(ms) => new Date(ms).toISOString().replace('T', ' ').slice(0, 23)", ms)
    local = page.evaluate("(ms) => new Date(ms + 5.5 * 3600000).toISOString().replace('T', ' ').slice(0, 23)", ms)
    began = int(page.locator(".log").get_attribute("data-origin"))
    for way, text in (
        ("utc", utc), ("utc", utc[11:]), ("utc", utc.replace(" ", "T") + "Z"), ("utc", str(wanted["number"])),
        ("local", local), ("local", local[11:]), ("relative", f"+{(ms - began) / 1000}"),
    ):  # fmt: skip
        part(page, "times").select_option(way)
        page.locator("#log").press("End")
        field = part(page, "goto").locator("input")
        field.fill(text)
        field.press("Enter")
        expect(page.locator("#log .marked")).to_have_attribute("data-number", str(wanted["number"]))
        see(page, wanted["number"])
    for text, said in (
        ("soon", "'soon' is no time"), ("999", f"There is no line 999: the last one is {len(entries) + 1}."),
        ("2030-01-01", "Nothing was written at that time or later."),
    ):  # fmt: skip
        field.fill(text)
        field.press("Enter")
        expect(part(page, "note")).to_contain_text(said)
    field.fill(f"{wanted['number']}-{wanted['number'] + 3}")
    field.press("Enter")
    expect(page.locator("#log .marked")).to_have_count(4)
    assert page.url.endswith(f"#L{wanted['number']}-L{wanted['number'] + 3}")
    expect(part(page, "note")).to_be_hidden()


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
