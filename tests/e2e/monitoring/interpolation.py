"""What Grafana makes of a query before it sends it: variables by their format, and what stands for the time range.

The rules are those of Grafana 11: a query's own escaping (`${name}`) depends on whether the variable can have several values.
"""

import re
from urllib.parse import quote

__all__ = ["Variable", "builtins", "interpolated", "loki", "prometheus"]

_REFERENCE = re.compile(r"\$(\w+)|\$\{(\w+)(?::(\w+))?\}|\[\[(\w+)(?::(\w+))?\]\]")


class Variable:
    """`values` are the chosen ones; with `custom_all` All is chosen, and that text goes into queries as it stands."""

    def __init__(self, name, values, *, several=False, custom_all=None):
        self.name = name
        self.values = list(values)
        self.several = several
        """Multi-value or with All: only then are values parts of regular expressions."""
        self.custom_all = custom_all


def interpolated(text, variables, *, escape, builtin=None):
    """`text` with every reference replaced; names that are nobody's stay, as in Grafana. `escape` is the data source's."""
    known = {each.name: each for each in variables}

    def replace(match):
        name = match[1] or match[2] or match[4]
        if builtin and name in builtin:
            return str(builtin[name])
        if name not in known:
            return match[0]
        variable = known[name]
        if variable.custom_all is not None:
            return variable.custom_all
        return _formatted(variable, match[3] or match[5], escape)

    return _REFERENCE.sub(replace, text)


def _formatted(variable, how, escape):
    values = variable.values
    match how:
        case None:
            return escape(variable)
        case "raw" | "csv":
            return ",".join(values)
        case "regex":
            escaped = [re.sub(r"[\\^$*+?.()|{}\[\]/]", r"\\\g<0>", value) for value in values]
            return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"
        case "pipe":
            return "|".join(values)
        case "doublequote":
            return ",".join('"' + value.replace('"', '\\"') + '"' for value in values)
        case "queryparam":
            return "&".join(f"var-{variable.name}={quote(value, safe='')}" for value in values)
        case "percentencode":
            return quote(values[0] if len(values) == 1 else "{" + ",".join(values) + "}", safe="")
        case _:
            raise ValueError(f"a format that this test does not know: {how}")


def prometheus(variable):
    """As the Prometheus data source escapes for the inside of double quotes."""
    if not variable.several:
        return variable.values[0].replace("\\", "\\\\").replace("'", "\\\\'")
    escaped = [_in_regex(value) for value in variable.values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def loki(variable):
    """As the Loki data source does it."""
    if not variable.several:
        return variable.values[0].replace("'", "\\\\'")
    return "|".join(_in_regex(value).replace("'", "\\\\'") for value in variable.values)


def _in_regex(value):
    return re.sub(r"[$^*{}\[\]+?.()|]", r"\\\\\g<0>", value.replace("\\", "\\\\\\\\"))


def builtins(begin, now, *, step=1, scrape=1):
    """What Grafana itself knows, for a time range in seconds since the epoch and a data source that is told its `scrape` interval."""
    seconds = round(now - begin)
    return {
        "__interval": f"{step}s", "__interval_ms": step * 1000, "__auto": f"{step}s", "__range": f"{seconds}s",
        "__range_s": seconds, "__range_ms": seconds * 1000, "__rate_interval": f"{max(step + scrape, 4 * scrape)}s",
        "__from": round(begin * 1000), "__to": round(now * 1000),
    }  # fmt: skip
