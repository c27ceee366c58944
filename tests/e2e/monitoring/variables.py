"""The variables of a dashboard and their values, asked of Prometheus as Grafana asks."""

import itertools
import re

from tests.e2e.monitoring import interpolation
from tests.e2e.monitoring.interpolation import Variable, interpolated

__all__ = ["chosen", "options"]

_ALL = "$__all"


def chosen(dashboard, ask, preferred):
    """Every way in which the test sets the variables of `dashboard`: first as it opens, then each with single values.

    `ask(text)` gives the options of a variable's query; `preferred` lists single values by name.
    """
    yield _set(dashboard, ask, {})
    names = [each["name"] for each in dashboard.variables if each["name"] in preferred]
    for values in itertools.product(*(preferred[name] for name in names)):
        yield _set(dashboard, ask, dict(zip(names, values, strict=True)))


def _set(dashboard, ask, fixed):
    made = []
    for variable in dashboard.variables:
        made.append(_value(variable, ask, made, fixed.get(variable["name"])))
    return made


def _value(variable, ask, before, fixed):
    name, kind = variable["name"], variable["type"]
    several = bool(variable.get("multi") or variable.get("includeAll"))
    current = (variable.get("current") or {}).get("value")
    if fixed is not None:
        return Variable(name, [fixed], several=several)
    if kind in {"textbox", "constant"}:
        return Variable(name, [current or _text(variable) or ""])
    if kind == "datasource":
        return Variable(name, [current or _text(variable)])
    if current not in (None, "", [], _ALL, [_ALL]):
        return Variable(name, [current] if isinstance(current, str) else current, several=several)
    every = current in (_ALL, [_ALL]) or (not current and variable.get("includeAll"))
    if every and variable.get("allValue"):
        return Variable(name, [], several=True, custom_all=variable["allValue"])
    found = options(variable, ask, before)
    assert found, f"the variable {name} has no values"
    return Variable(name, found if every else found[:1], several=several)


def options(variable, ask, before):
    """All values that the variable can have."""
    if variable["type"] in {"custom", "interval"}:
        listed = [each.strip() for each in _text(variable).split(",")]
        return [each.partition(" : ")[2] or each for each in listed]
    text = interpolated(_text(variable), before, escape=interpolation.prometheus)
    return list(dict.fromkeys(_picked(ask(text), variable.get("regex", ""))))


def _text(variable):
    query = variable.get("query") or variable.get("definition") or ""
    return query if isinstance(query, str) else query.get("query", "")


def _picked(found, regex):
    """The part of each option that the variable's regex takes; what does not match is left out."""
    if not regex:
        return found
    parts = re.fullmatch(r"/(.*)/([gimsuy]*)", regex, re.DOTALL)
    pattern = re.compile(re.sub(r"\(\?<(?![=!])", "(?P<", parts[1] if parts else f"^{regex}$"))
    picked = []
    for text in found:
        groups = [match for match in pattern.finditer(text) if match[0]]
        named = [match["value"] for match in groups if match.groupdict().get("value")]
        if groups:
            picked.append(named[0] if named else groups[0][1] if pattern.groups else groups[0][0])
    return picked
