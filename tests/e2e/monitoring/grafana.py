"""What Grafana sends to Prometheus for a panel, an annotation or a variable, and what it makes of the answer."""

import re

from tests.e2e.monitoring import interpolation
from tests.e2e.monitoring.interpolation import interpolated

__all__ = ["Grafana", "Series"]


class Series:
    """One series of an answer: its labels, and its numbers without those that are none."""

    def __init__(self, result):
        self.labels = result["metric"]
        pairs = result["values"] if "values" in result else [result["value"]]
        self.values = [float(value) for _, value in pairs if value != "NaN"]

    def __repr__(self):
        return f"{self.labels}: {self.values[-1:]}"


class Grafana:
    """Asks `prometheus` at the moment `now`, with the time range that began at `begin`; both are seconds since the epoch."""

    def __init__(self, prometheus, begin, now):
        self._prometheus = prometheus
        self._begin = begin
        self._now = now
        self._builtin = interpolation.builtins(begin, now)

    def text(self, query, variables):
        """The query as it is sent. A dollar sign that is left is a name that nobody knows, or the end of a regex."""
        text = interpolated(query, variables, escape=interpolation.prometheus, builtin=self._builtin)
        assert not re.search(r"\$\{?\w", text), f"a variable of nobody in {text}"
        return text

    def series(self, query, variables):
        """The answer to a panel's query: all series that have a number."""
        text = self.text(query.text, variables)
        if query.instant:
            answer = self._prometheus.answer("query", query=text, time=self._now)
        else:
            answer = self._prometheus.answer("query_range", query=text, start=self._begin, end=self._now, step=1)
        if answer["resultType"] == "scalar":
            return [Series({"metric": {}, "value": answer["result"]})]
        return [series for series in map(Series, answer["result"]) if series.values]

    def ask(self, text):
        """The options of a variable's query, as label_values and its kin give them."""
        text = interpolated(text, (), escape=interpolation.prometheus, builtin=self._builtin)
        span = {"start": self._begin, "end": self._now}
        if found := re.fullmatch(r"label_values\((?:(.+),\s*)?([a-zA-Z_]\w*)\)", text.strip(), re.DOTALL):
            match = {"match[]": found[1]} if found[1] else {}
            return self._prometheus.answer(f"label/{found[2]}/values", **match, **span)
        if found := re.fullmatch(r"query_result\((.+)\)", text.strip(), re.DOTALL):
            answer = self._prometheus.answer("query", query=found[1], time=self._now)
            return [_as_text(each) for each in answer["result"]]
        raise AssertionError(f"a query of a variable that this test does not know: {text}")


def _as_text(result):
    labels = dict(result["metric"])
    name = labels.pop("__name__", "")
    inner = ",".join(f'{key}="{value}"' for key, value in labels.items())
    moment, value = result["value"]
    return f"{name}{{{inner}}} {value} {moment * 1000:.0f}"
