"""Nothing that a job says or is called becomes anything but text, on either page, whatever is done with it there."""

import json
import re

import pytest
from playwright.sync_api import expect

from fluster.web.pages.terminal import segments, visible
from tests.e2e.hostile import TEXTS
from tests.polling import until

pytestmark = pytest.mark.browser
FOREIGN = "script:not([src^='/static/']), img, iframe, object, embed, base, meta[http-equiv], style, animate, [onload], [onerror], [style*=display]"


@pytest.fixture
def watched(page, worker):
    """A page that asks nobody but the worker for anything."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    yield page
    assert [url for url in asked if not url.startswith(worker.url)] == []


def inert(page):
    """No script of the text ran, and no element is there that the pages have not of their own."""
    assert page.evaluate("window.pwned") is None
    assert page.locator(FOREIGN).count() == 0
    assert page.locator("h1").count() == 1


@pytest.fixture(scope="module")
def job(worker):
    """All of it in the log, the error lines, the command, the environment and the names of output files."""
    program = (
        "import json, os, sys\n"
        "texts = json.loads(os.environ['TEXTS'])\n"
        "for number, text in enumerate(texts):\n"
        "    print(f'{number:02} {text}')\n"
        "    name = f'{number} ' + text.replace('/', '_').replace(chr(0), '')\n"
        "    open(os.path.join(os.environ['FLUSTER_OUTPUT_DIR'].encode(), name.encode('utf-8', 'replace')[:200]), 'w').close()\n"
        "for text in texts[:5]: print(text, file=sys.stderr)\n"
        "sys.exit(1)"
    )
    env = {"TEXTS": json.dumps(TEXTS), **{f"V{number}": text for number, text in enumerate(TEXTS)}}
    job_id = worker.run(
        "python3", "-u", "-c", program, *[text.replace("\0", "") for text in TEXTS], name=TEXTS[0] + TEXTS[13], environment={"envVars": env}
    )  # fmt: skip
    assert worker.wait(job_id)["exit_code"] == 1
    return job_id


def shown(text):
    """As the log shows a line: colours left out, control characters as marks, cut."""
    return "".join(piece for _, piece in segments(text))


def test_the_job_page_shows_it_as_text(watched, worker, job):
    watched.goto(f"{worker.url}/job/{job}#stdout")
    watched.locator("#facts summary").click()
    watched.locator("#files summary").click()
    expect(watched.locator("#headline .last li").first).to_contain_text(TEXTS[0])
    expect(watched.locator("#files li")).to_have_count(len(TEXTS))
    for number, text in enumerate(TEXTS):
        expect(watched.locator(".variables li", has=watched.locator(f"code:text-is('V{number}')"))).to_have_count(1)
        if len(text) < 200:
            line = watched.locator("#log .line .text", has_text=re.compile(f"^{number:02} "))
            assert line.text_content() == shown(f"{number:02} {text}")
    inert(watched)


def test_it_can_be_searched_for_found_copied_and_linked(watched, worker, job):
    watched.goto(f"{worker.url}/job/{job}#stdout")
    search, hits = watched.locator("[data-log-part=search]"), watched.locator("[data-log-part=hits]")
    for text in TEXTS[:24]:
        wanted = visible(text).strip()
        if wanted != text:
            continue  # what no keyboard writes
        search.fill(text)
        expect(hits).to_have_text(re.compile("of [12]$"))
        expect(watched.locator("#log mark").first).to_be_attached()
        inert(watched)
    watched.locator("[data-log-part=goto] input").fill(TEXTS[1])
    watched.locator("[data-log-part=goto] input").press("Enter")
    expect(watched.locator("[data-log-part=note]")).to_contain_text("is no time")
    watched.evaluate("(text) => { location.hash = text }", TEXTS[1])
    inert(watched)


def test_names_are_text_in_the_list_and_in_its_filter(watched, worker):
    ids = [worker.run("true", name=text[:200]) for text in TEXTS if text[:200].strip()]
    for job_id in ids:
        worker.wait(job_id)
    watched.goto(worker.url)
    for job_id in ids[-45:]:
        expect(watched.locator(f"[id='row-{job_id}'] bdi")).to_have_count(1)
    rows = until(lambda: watched.locator("tbody bdi").all_text_contents())
    for text in TEXTS:
        assert visible(text[:200]) in rows or not text[:200].strip(), text
    inert_list(watched)
    watched.locator("input[type=search]").fill(TEXTS[0])
    expect(watched.locator("tbody tr[id]")).not_to_have_count(0)
    watched.goto(f"{worker.url}/?text={TEXTS[1].replace('=', '%3D')}&state=<script>&cursor=<script>")
    inert_list(watched)


def inert_list(page):
    assert page.evaluate("window.pwned") is None
    assert page.locator(FOREIGN).count() == 0
