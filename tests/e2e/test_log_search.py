"""Finding a place in a log in a real browser: searches that the worker makes, lines and times to go to."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.log_page import MILLION, ended, line, number_of, open_log, part, see
from tests.polling import until

pytestmark = pytest.mark.browser


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
