"""A page whose worker goes away and comes back, whose tab is hidden, whose scripts are old; and its words beside the server's."""

import random
import re
import shutil
import signal

import pytest
from playwright.sync_api import expect

from fluster.sizes import format_duration
from tests.benchmarks.worker import started
from tests.polling import until

pytestmark = pytest.mark.browser

HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  Object.defineProperty(document, "visibilityState", { value: hidden ? "hidden" : "visible", configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
def lenient(browser):
    """A page that may say on its console that its connection was refused."""
    context = browser.new_context()
    page = context.new_page()
    yield page
    context.close()


def test_a_worker_that_goes_away_and_comes_back_is_said_and_missed_by_nothing(lenient, tmp_path):
    options = {"runtime": "process", "worker_id": "comes-back"}
    with started(tmp_path, **options) as first:
        port = int(first.url.rpartition(":")[2])
        job_id = first.submit("sh", "-c", "sleep 600", name="survives")
        first.until([job_id], "running")
        lenient.goto(first.url)
        expect(lenient.locator(f"[id='row-{job_id}']")).to_be_visible()
        lenient.evaluate("window.mine = true")
        first.process.kill()
        first.process.wait()
        notice = lenient.locator("#connection")
        expect(notice).to_have_text(re.compile(r"^connection lost since \d\d:\d\d:\d\d; trying again$"), timeout=15_000)
        expect(lenient.locator(f"[id='row-{job_id}']")).to_be_visible()
    with started(tmp_path, port=port, **options) as second:
        other = second.submit("true", name="after")
        expect(notice).to_be_hidden(timeout=15_000)
        expect(lenient.locator(f"[id='row-{other}'] .state")).to_have_text("succeeded", timeout=15_000)
        assert lenient.evaluate("window.mine")  # the same scripts: nothing was loaded again
        second.ask(f"/api/jobs/{job_id}/kill?grace_ms=0", {})
        expect(lenient.locator(f"[id='row-{job_id}'] .state")).to_have_text("killed", timeout=15_000)


def test_a_job_page_goes_on_after_its_worker_came_back(lenient, tmp_path):
    options = {"runtime": "process", "worker_id": "goes-on"}
    with started(tmp_path, **options) as first:
        port = int(first.url.rpartition(":")[2])
        job_id = first.submit("sh", "-c", "sleep 600")
        first.until([job_id], "running")
        lenient.goto(f"{first.url}/job/{job_id}")
        expect(lenient.locator("#headline")).to_contain_text("Running for")
        first.process.kill()
        first.process.wait()
        expect(lenient.locator("#connection")).to_be_visible(timeout=15_000)
        lenient.locator("#kill").click()
        lenient.locator("#confirm-yes").click()
        expect(lenient.locator("#kill-note")).to_contain_text("the worker does not answer")
    with started(tmp_path, port=port, **options) as second:
        expect(lenient.locator("#connection")).to_be_hidden(timeout=15_000)
        second.ask(f"/api/jobs/{job_id}/kill?grace_ms=0", {})
        expect(lenient.locator("#headline")).to_contain_text("Killed on request", timeout=15_000)


def test_a_hidden_page_closes_its_stream_looks_in_for_its_title_and_comes_back(page, worker):
    page.clock.install()
    page.goto(worker.url)
    expect(page).to_have_title("Jobs · Fluster")
    page.evaluate(HIDE, True)
    job_id = worker.run("sleep", "600")
    worker.until(job_id, lambda job: job["status"] == "running")
    expect(page).to_have_title("Jobs · Fluster")
    page.clock.run_for(11_000)
    expect(page).to_have_title("1 running · Fluster")
    worker.kill(job_id)
    page.evaluate(HIDE, False)
    expect(page).to_have_title("Jobs · Fluster")


def test_a_page_with_old_scripts_loads_itself_again(page, worker):
    def aged(route):
        answer = route.fetch()
        route.fulfill(response=answer, body=re.sub('data-assets="[^"]*"', 'data-assets="old"', answer.text()))

    page.route(f"{worker.url}/?text=x", aged, times=1)
    page.goto(f"{worker.url}/?text=x")
    expect(page.locator("html")).not_to_have_attribute("data-assets", "old")
    assert page.url.endswith("/?text=x")


def test_a_connection_that_hangs_is_noticed(lenient, tmp_path):
    page = lenient
    with started(tmp_path, runtime="fake", worker_id="hangs") as worker:
        page.clock.install()
        page.goto(worker.url)
        expect(page.locator("#machine")).to_be_visible()
        worker.process.send_signal(signal.SIGSTOP)
        try:
            notice = page.locator("#connection")
            until(lambda: page.clock.fast_forward(5000) or notice.is_visible(), pace=0.1)
            expect(notice).to_have_text(re.compile("^connection lost since"))
        finally:
            worker.process.send_signal(signal.SIGCONT)
        until(lambda: page.clock.fast_forward(1000) or not notice.is_visible(), pace=0.1)


def test_a_refusal_is_said_and_a_forgotten_job_is_not_asked_for_again(lenient, tmp_path):
    options = {"runtime": "process", "worker_id": "forgets"}
    with started(tmp_path, **options) as first:
        port = int(first.url.rpartition(":")[2])
        job_id = first.submit("sleep", "600")
        first.until([job_id], "running")
        lenient.goto(f"{first.url}/job/{job_id}")
        expect(lenient.locator("#headline")).to_contain_text("Running for")
        lenient.route(
            "**/events", lambda route: route.fulfill(status=429, json={"error": "200 followers are there already"})
        )
        lenient.evaluate(HIDE, True)
        lenient.evaluate(HIDE, False)
        expect(lenient.locator("#connection")).to_have_text("not live: 200 followers are there already; trying again")
        lenient.unroute("**/events")
        expect(lenient.locator("#connection")).to_be_hidden(timeout=15_000)
        first.ask(f"/api/jobs/{job_id}/kill?grace_ms=0", {})
        expect(lenient.locator("#headline")).to_contain_text("Killed on request")
        running = first.submit("sleep", "600")
        first.until([running], "running")
        lenient.goto(f"{first.url}/job/{running}")
        expect(lenient.locator("#headline")).to_contain_text("Running for")
    shutil.rmtree(tmp_path / "state")
    with started(tmp_path, port=port, **options):
        expect(lenient.locator("#connection")).to_contain_text("this job is not remembered any more", timeout=15_000)
        expect(lenient.locator("[data-log-part=follow]")).to_have_text("end of the log")


def test_a_finished_job_in_a_tab_that_is_not_looked_at_is_asked_for_once(page, worker):
    job_id = worker.run("true")
    worker.wait(job_id)
    asked = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/events") else None)
    page.clock.install()
    page.add_init_script("Object.defineProperty(document, 'hidden', { value: true })")
    page.goto(f"{worker.url}/job/{job_id}")
    expect(page.locator("html.live")).to_be_attached()
    for _ in range(20):  # what is answered meanwhile comes between them
        page.clock.run_for(3_000)
        expect(page.locator("#headline")).to_contain_text("Succeeded")
    assert len(asked) == 1


def test_durations_have_the_servers_words(page, worker):
    page.goto(worker.url)
    chance = random.Random(7)
    values = [
        0,
        0.0005,
        0.0015,
        0.0025,
        0.9994,
        0.9996,
        0.99999,
        1,
        1.25,
        59.94,
        59.95,
        59.96,
        60,
        61.5,
        62.5,
        3599.5,
        3600,
        86399.5,
        86400,
        1e7,
    ]
    values += [chance.uniform(0, 10 ** chance.randrange(0, 8)) for _ in range(2000)]
    values += [milliseconds / 1000 for milliseconds in range(0, 130_000, 77)]
    assets = page.locator("html").get_attribute("data-assets")
    said = page.evaluate(
        "async ([address, values]) => { const { duration } = await import(address); return values.map(duration) }",
        [f"/static/{assets}/duration.js", values],
    )
    assert said == [format_duration(value) for value in values]


MORPHS = [
    ("<p id='p'>a</p>", "<p id='p' class='x'>b</p>"),
    ("<ul id='p'><li>1</li><li>2</li></ul>", "<ul id='p'><li>0</li><li>1</li><li>2</li></ul>"),
    (
        "<ul id='p'><li id='a'>1</li><li id='b'>2</li></ul>",
        "<ul id='p'><li id='b'>2</li><li>new</li><li id='a'>1</li></ul>",
    ),
    ("<ul id='p'><li id='a'>1</li>text<b>x</b></ul>", "<ul id='p'>other<i>y</i><li id='c'>3</li></ul>"),
    ("<p id='p'></p>", "<p id='p'>a<!-- c --><svg><rect width='1%'></rect></svg></p>"),
    (
        "<p id='p'>a<svg><rect width='1%'></rect></svg></p>",
        "<p id='p'><svg><rect width='2%'></rect><rect></rect></svg></p>",
    ),
]


def test_an_element_becomes_like_the_new_one_and_named_children_stay_the_same(page, worker):
    page.goto(worker.url)
    assets = page.locator("html").get_attribute("data-assets")
    results = page.evaluate(
        """async ([address, pairs]) => {
          const { morph } = await import(address);
          const make = (html) => { const t = document.createElement("template"); t.innerHTML = html; return t.content; };
          return pairs.map(([before, after]) => {
            const old = make(before), a = old.querySelector("#a"), fresh = make(after);
            morph(old.firstElementChild, fresh.firstElementChild.cloneNode(true));
            const now = old.querySelector("#a");
            return [old.firstElementChild.outerHTML, fresh.firstElementChild.outerHTML, !a || !now || a === now];
          });
        }""",
        [f"/static/{assets}/morph.js", MORPHS],
    )
    for got, wanted, same in results:
        assert got == wanted
        assert same
