"""The harness itself: a page with known faults has them, one without has none."""

import pytest

from tests.e2e.axe.violations import violations

pytestmark = pytest.mark.browser
PAGE = '<!doctype html><html lang="en"><head><title>t</title></head><body><main><h1>t</h1>{}</main></body></html>'


@pytest.mark.parametrize(
    ("fault", "rule", "place"),
    [
        ('<button id="mute"></button>', "button-name", "#mute"),
        ('<p id="pale" style="color: #ccc; background: #fff">pale</p>', "color-contrast", "#pale"),
        ('<input id="nameless">', "label", "#nameless"),
    ],
)
def test_a_known_fault_is_found_and_told_in_words(page, fault, rule, place):
    page.set_content(PAGE.format(fault))
    (found,) = violations(page)
    assert (found.rule, [at for at, _ in found.places]) == (rule, [place])
    assert str(found).startswith(f"{rule} (")
    assert f"{place}: Fix " in str(found)


def test_a_page_without_faults_has_no_violations(page):
    page.set_content(PAGE.format("<button>louder</button>"))
    assert violations(page) == []
