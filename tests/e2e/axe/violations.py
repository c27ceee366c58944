"""What axe-core finds on a page that keeps people with a screen reader, a keyboard or poor sight from using it."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.npm import installed

__all__ = ["Violation", "violations"]

IMPACTS = ("serious", "critical")
RUN = """async (impacts) => {
    const found = await axe.run(document, {resultTypes: ["violations"]});
    return found.violations.filter((each) => impacts.includes(each.impact)).map((each) => ({
        rule: each.id, impact: each.impact, says: each.help,
        places: each.nodes.map((node) => [node.target.flat(9).join(" "), node.failureSummary.replace(/\\s+/g, " ")]),
    }));
}"""


@dataclass(frozen=True)
class Violation:
    """One rule that is broken; `places` are (selector, what to do there)."""

    rule: str
    impact: str
    says: str
    places: tuple[tuple[str, str], ...]

    def __str__(self):
        return "\n".join([f"{self.rule} ({self.impact}): {self.says}", *(f"  {at}: {why}" for at, why in self.places)])


@cache
def _source():
    return (installed(Path(__file__).parent) / "node_modules" / "axe-core" / "axe.min.js").read_text()


def violations(page, *, impacts=IMPACTS):
    """Those of `impacts` on the page as it is now. Evaluated, not put into a script element: the page's own policy stays as it is."""
    page.evaluate(f"() => {{ {_source()} }}")
    return [
        Violation(each["rule"], each["impact"], each["says"], tuple(map(tuple, each["places"])))
        for each in page.evaluate(RUN, list(impacts))
    ]
