"""No page keeps anybody out: axe-core finds nothing serious, in light and dark, on a phone and on a desk."""

import re
import secrets

import pytest
from playwright.sync_api import expect

from tests.benchmarks.worker import started
from tests.e2e.axe.violations import violations

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize(("color_scheme", "width"), [("light", 1000), ("dark", 320)]),
]
NOISE = (
    "import sys, time\nfor number in range(60): print('line', number, 'word ' * 30)\n"
    "print('\\x1b[31mred\\x1b[0m \\x1b[33;1mbold\\x1b[0m \\x1b[90mgrey\\x1b[0m', file=sys.stderr)\n"
)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A worker without jobs that wants a token, and the token."""
    folder = tmp_path_factory.mktemp("guarded")
    token = folder / "token"
    token.write_text(secrets.token_urlsafe(32))
    token.chmod(0o600)
    with started(folder, runtime="fake", worker_id="guarded", token_file=token) as worker:
        yield worker, token.read_text()


@pytest.fixture(scope="module")
def failed(worker):
    job_id = worker.submit(
        f"{NOISE}time.sleep(0.6); sys.exit('it broke')", name="failing", resources={"memory": "256m"}
    )
    worker.wait(job_id)
    return job_id


@pytest.fixture(scope="module")
def running(worker, failed):
    job_id = worker.submit(f"{NOISE}time.sleep(600)", name="running", timeoutSeconds=3600)
    worker.until(job_id, lambda job: job["logs"]["lines"].get("stderr") and job["samples"])
    yield job_id
    worker.kill(job_id)


@pytest.fixture
def accessible(page, width):
    """accessible(address) opens a page and looks at it."""
    page.set_viewport_size({"width": width, "height": 700})

    def look(address=None):
        if address is not None:
            page.goto(address)
        expect(page.locator("h1").first).to_be_visible()
        found = violations(page)
        assert not found, "\n".join(["", *map(str, found)])

    return look


def test_the_list_of_a_worker_without_jobs(accessible, page, guarded):
    worker, token = guarded
    page.set_extra_http_headers({"Authorization": f"Bearer {token}"})
    accessible(worker.url)


def test_the_list_in_which_nothing_was_found(accessible, worker, failed):
    accessible(f"{worker.url}/?text=no-such-job-at-all")


def test_the_list_with_jobs(accessible, worker, running, failed):
    accessible(worker.url)


def test_the_page_of_a_job_that_runs(accessible, page, worker, running):
    page.goto(f"{worker.url}/job/{running}")
    expect(page.locator("#log")).to_contain_text("line 59")
    accessible()


def test_the_page_of_a_job_that_failed(accessible, page, worker, failed):
    page.goto(f"{worker.url}/job/{failed}")
    expect(page.locator("#log")).to_contain_text("it broke")
    accessible()


def test_the_question_before_a_job_is_killed(accessible, page, worker, running):
    page.goto(f"{worker.url}/job/{running}")
    expect(page.locator("#log")).to_contain_text("line 59")
    page.get_by_role("button", name=re.compile("^kill", re.IGNORECASE)).first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    accessible()


def test_the_page_of_a_job_that_is_unknown(accessible, worker):
    accessible(f"{worker.url}/job/none")


def test_the_page_that_asks_for_the_token(accessible, guarded):
    worker, _ = guarded
    accessible(f"{worker.url}/login")
