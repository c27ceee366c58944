"""What a line of a benchmark says of its figures."""

import pytest

from tests.benchmarks.report import show
from tests.benchmarks.result import Goal, Result


def result(ours, theirs, goal=None, **more):
    return Result("M0", "work", "s", ours, "other" if theirs else "", theirs, goal, **more)


def test_a_ratio_is_made_of_the_figures_of_the_same_round():
    assert result([1.0, 2.0], [10.0, 40.0], Goal("times", 10)).ratios == [10.0, 20.0]
    assert result([1.0, 2.0], [10.0, 40.0], Goal("share", 0.2)).ratios == [0.1, 0.05]
    assert result([100.0], [5.0], good="more").ratios == [20.0]
    with pytest.raises(ValueError, match="zip"):
        result([1.0, 2.0], [1.0]).ratios  # noqa: B018 # a property that raises


@pytest.mark.parametrize(
    ("goal", "ours", "theirs", "verdict"),
    [
        (Goal("times", 10), [1.0], [10.0], "reached"),
        (Goal("times", 10), [1.0], [5.0], "missed by 2.00 x"),
        (Goal("share", 0.5), [1.0], [2.0], "reached"),
        (Goal("share", 0.5), [2.0], [2.0], "missed by 2.00 x"),
        (Goal("most", 25), [30.0], [], "missed by 1.20 x"),
        (Goal("least", 100), [100.0], [], "reached"),
    ],
)
def test_a_goal_is_reached_or_missed_by_a_factor(goal, ours, theirs, verdict):
    assert result(ours, theirs, goal).verdict == verdict


def test_a_result_without_a_baseline_or_a_goal_is_a_figure():
    document = result([1.0, 3.0, 2.0], []).document()
    assert document["fluster"] == {"min": 1.0, "median": 2.0, "max": 3.0}
    assert document["ratio"] is None
    assert document["verdict"] is None


def test_an_expression_in_the_table_is_not_taken_for_markup(capsys):
    show([Result("L5", "search [0-9]{7}[a-f]{3}z", "ms", [1.0, 2.0])], [], title="Logs")
    assert "search [0-9]{7}[a-f]{3}z" in capsys.readouterr().out
