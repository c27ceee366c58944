"""Chromium as the tests start it, and pages that count what held their one thread up."""

from contextlib import contextmanager

from playwright.sync_api import sync_playwright

from tests.benchmarks.program import find
from tests.e2e.conftest import FLAGS

PATIENCE_MS = 120_000
WATCH = """
window.longTasks = [];
new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map((each) => each.duration)))
    .observe({type: "longtask", buffered: true});
"""
"""A task is long from 50 ms on: a browser tells of no shorter one."""
SHOWN = """(text) => {
    const log = document.querySelector(".log");
    return log !== null && log.textContent.includes(text) ? performance.now() : 0;
}"""


@contextmanager
def chromium():
    """Not open while anyio runs: Playwright has a loop of its own in this thread."""
    path = find("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser):
    """A fresh page without a cache."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(WATCH)
    try:
        yield context.new_page()
    finally:
        context.close()


def shown(page, address, text):
    """Milliseconds from the begin of the navigation until `text` stands in the log, by the page's own clock."""
    page.goto(address, wait_until="commit")
    return page.wait_for_function(SHOWN, arg=text).json_value()


def forget_tasks(page):
    page.evaluate("() => void (window.longTasks.length = 0)")


def longest_task(page):
    """In ms, since the page began or forget_tasks(); 0 where none was long."""
    return page.evaluate("() => Math.max(0, ...window.longTasks)")
