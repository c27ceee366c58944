"""What one line of a benchmark says: Fluster's figure, a baseline's from the same rounds, their ratio, and the goal."""

from dataclasses import dataclass, field
from statistics import median


class Missing(Exception):  # noqa: N818 # a fact about the machine, not a fault
    """A baseline that is not on this machine; str() says how to get it."""


@dataclass(frozen=True)
class Note:
    """What has to be known to read the table."""

    text: str


@dataclass(frozen=True)
class Goal:
    """A bound for the median: `kind` says of what."""

    kind: str
    """times: baseline / Fluster, at least; share and more: Fluster / baseline, at most and at least; most, least: Fluster's own figure."""
    bound: float

    @property
    def text(self):
        return {
            "times": f"≥ {self.bound:g} x cheaper",
            "share": f"≤ {self.bound:.3g} x of it",
            "more": f"≥ {self.bound:g} x as much",
            "most": f"≤ {self.bound:g}",
            "least": f"≥ {self.bound:g}",
        }[self.kind]

    def verdict(self, value):
        """ "reached", or how far it is missed, as a factor."""
        if value >= self.bound if self.kind in {"times", "more", "least"} else value <= self.bound:
            return "reached"
        factor = self.bound / value if self.kind in {"times", "more", "least"} else value / self.bound
        return f"missed by {factor:.2f} x"


@dataclass(frozen=True)
class Result:
    """`ours` and `theirs` hold one figure for each round, in the same order; without a baseline `theirs` is empty."""

    row: str
    what: str
    unit: str
    ours: list[float]
    baseline: str = ""
    theirs: list[float] = field(default_factory=list)
    goal: Goal | None = None
    good: str = "less"
    """ "more" where a larger figure is the better one."""

    @property
    def direction(self):
        """What a ratio of this result says."""
        if self.good == "more":
            return "as much"
        return "of it" if self.goal and self.goal.kind == "share" else "cheaper"

    @property
    def ratios(self):
        """Baseline / Fluster of each round where it says how many times cheaper, else Fluster / baseline."""
        pairs = [(mine, other) for mine, other in zip(self.ours, self.theirs, strict=bool(self.theirs))]
        if self.direction == "cheaper":
            return [other / mine if mine else float("inf") for mine, other in pairs]
        return [mine / other if other else float("inf") for mine, other in pairs]

    @property
    def verdict(self):
        if self.goal is None:
            return ""
        own = self.goal.kind in {"most", "least"}
        return self.goal.verdict(median(self.ours if own else self.ratios))

    def document(self):
        """For JSON."""
        return {
            "row": self.row, "what": self.what, "unit": self.unit, "rounds": len(self.ours),
            "fluster": _spread(self.ours), "fluster_rounds": self.ours,
            "baseline": self.baseline or None,
            "baseline_figure": _spread(self.theirs) if self.theirs else None, "baseline_rounds": self.theirs,
            "ratio": _spread(self.ratios) if self.theirs else None,
            "ratio_is": ("baseline / fluster" if self.direction == "cheaper" else "fluster / baseline") if self.theirs else None,
            "goal": self.goal.text if self.goal else None, "verdict": self.verdict or None,
        }  # fmt: skip


def _spread(values):
    return {"min": min(values), "median": median(values), "max": max(values)}
