"""Both pages in a real browser, light and dark, on a real worker: what they show, how they look on a phone, and hostile text."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((each, place) => each * a + under[place] * (1 - a));
  const back = (element) => {
    const layers = [];
    for (let each = element; each; each = each.parentElement) layers.push(rgba(getComputedStyle(each).backgroundColor));
    return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
  };
  const light = (rgb) => rgb.map((each) => (each /= 255) <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
    .reduce((sum, each, place) => sum + each * [0.2126, 0.7152, 0.0722][place], 0);
  const poor = new Set();
  for (const element of document.querySelectorAll("header *, main *:not(.log, .log *)")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || element.closest(".visually-hidden")) continue;
    const under = back(element), text = over(rgba(getComputedStyle(element).color), under);
    const [high, low] = [light(text), light(under)].sort((a, b) => b - a);
    if ((high + 0.05) / (low + 0.05) < 4.5) poor.add(`${element.className || element.tagName}: ${element.textContent.slice(0, 30)}`);
  }
  return [...poor];
}"""


@pytest.fixture
def url(worker):
    return worker.url


@pytest.fixture(scope="module")
def ended(worker):
    """A job of each kind of end that the pages colour."""
    ids = {
        "succeeded": worker.run("true"),
        "failed": worker.run("sh", "-c", "echo why >&2; exit 3", environment={"envVars": {"A": "1"}}),
        "killed": worker.run("sleep", "600"),
    }
    worker.kill(ids["killed"])
    for job_id in ids.values():
        worker.wait(job_id)
    return ids


def test_hostile_text_is_inert_and_ansi_is_colour(page, worker, url):
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}\u202e"
    program = f"print({evil!r}); print('\\x1b[31mred\\x1b[0m plain \\x00 nul')"
    job_id = worker.submit(program, name=evil, environment={"envVars": {"A_TOKEN": "hunter2", "EVIL": evil}})
    worker.wait(job_id)
    page.goto(f"{url}/job/{job_id}")
    expect(page.locator("#log")).to_contain_text("<script>alert(2)</script>{{7*7}}")
    expect(page.locator("#log .f31")).to_have_text("red")
    expect(page.locator("h1")).to_contain_text("<img src=x")
    expect(page).to_have_title(re.compile(r"^<img src=x .*{{7\*7}}\ufffd succeeded · Fluster$"))
    page.locator("#facts summary").click()
    expect(page.locator(".variables")).to_contain_text("A_TOKEN •••••• hidden")
    expect(page.locator("#facts code").first).to_contain_text("<script>alert(2)</script>")
    page.goto(url)
    expect(page.locator(f"[id='row-{job_id}'] bdi")).to_have_text(evil.replace("\u202e", "\ufffd"))


def test_huge_text_breaks_no_layout(page, worker, url):
    word = "w" * 10_000
    job_id = worker.run(
        "sh", "-c", f": {word}; echo {word} >&2; exit 1", name="n" * 256, environment={"envVars": {word: word}}
    )
    worker.wait(job_id)
    for width in (320, 1000):
        page.set_viewport_size({"width": width, "height": 700})
        for path in ("/", f"/job/{job_id}"):
            page.goto(url + path)
            for summary in page.locator(".more summary").all():
                summary.click()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_an_unknown_job_is_a_page(page, url):
    assert page.goto(f"{url}/job/none").status == 404
    expect(page.locator("h1")).to_have_text("Not found")


def test_it_fits_a_phone_and_a_wall(page, ended, url):
    for width in (320, 3840):
        page.set_viewport_size({"width": width, "height": 640})
        for path in ("/", f"/job/{ended['failed']}"):
            page.goto(url + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        # On a phone a line has its time, and on a wall the log has the room.
        expect(page.locator("#log .rows .clock").first).to_be_visible()
        assert page.locator("#log").bounding_box()["width"] > 0.85 * width


def test_on_a_phone_a_row_is_a_card_that_can_be_read_and_touched(page, ended, url):
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(url)
    card = page.locator(f"[id='row-{ended['failed']}']")
    expect(card).to_contain_text("exit 3")
    assert card.bounding_box()["height"] > 60
    box = card.bounding_box()
    card.click(position={"x": box["width"] - 10, "y": box["height"] - 10})
    expect(page).to_have_url(f"{url}/job/{ended['failed']}")


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_every_text_has_contrast(page, worker, ended, url):
    page.goto(url)
    expect(page.locator(f"[id='row-{ended['failed']}']")).to_be_visible()
    assert page.evaluate(CONTRAST) == []
    for job_id in ended.values():
        page.goto(f"{url}/job/{job_id}")
        page.evaluate("for (const each of document.querySelectorAll('main details:not(.log *)')) each.open = true")
        assert page.evaluate(CONTRAST) == []
