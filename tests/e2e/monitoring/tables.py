"""A table panel as Grafana makes it: the rows of its queries merged, and the columns that its settings speak of."""

from collections import defaultdict

__all__ = ["columns", "merged", "unknown_columns", "value"]


def merged(panel, answers):
    """Rows, each a dict of labels and numbers by column, as the transformation `merge` joins the answers (series by refId).

    Rows belong together where all columns agree that every query has; where another column differs they stay apart.
    """
    frames = [[_row(panel, query, each) for each in answers[query.ref]] for query in _tables(panel)]
    frames = [frame for frame in frames if frame]
    names = [{name for row in frame for name in row} for frame in frames]
    key = set.intersection(*names) if names else set()
    groups = defaultdict(list)
    for row in (row for frame in frames for row in frame):
        rows = groups[tuple(sorted((name, row.get(name)) for name in key))]
        for known in rows:
            if all(known[name] == row[name] for name in known.keys() & row.keys()):
                known.update(row)
                break
        else:
            rows.append(dict(row))
    return [row for rows in groups.values() for row in rows]


def columns(panel, names):
    """(the columns that are shown, those that the panel speaks of and that nobody gives). `names` are those of the answers."""
    names = {"Time", *names}
    unknown = set()
    for transformation in panel.transformations:
        used, names = _step(transformation["id"], transformation.get("options", {}), names)
        unknown |= used
    return names, unknown


def unknown_columns(panel, names):
    """What overrides and transformations speak of and nobody gives."""
    shown, unknown = columns(panel, names)
    named = {each["matcher"]["options"] for each in panel.overrides if each["matcher"]["id"] == "byName"}
    return unknown | named - shown - _renamed(panel, unknown)


def value(panel, query):
    """The column of the query's number."""
    return f"Value #{query.ref}" if len(_tables(panel)) > 1 else "Value"


def _renamed(panel, unknown):
    """New names of columns that are unknown already: to name those again says nothing new."""
    options = [each.get("options", {}) for each in panel.transformations]
    return {new for each in options for old, new in each.get("renameByName", {}).items() if old in unknown}


def _tables(panel):
    return [query for query in panel.queries if query.format == "table"]


def _row(panel, query, series):
    return {**series.labels, value(panel, query): series.values[-1]}


def _step(kind, options, names):
    """(columns that a transformation speaks of and that are not there, the columns after it)."""
    match kind:
        case "merge":
            return set(), names
        case "filterFieldsByName":
            wanted = set(options["include"]["names"])
            return wanted - names, wanted & names
        case "organize":
            renamed = {old: new for old, new in options.get("renameByName", {}).items() if new}
            hidden = {name for name, hide in options.get("excludeByName", {}).items() if hide}
            used = {*renamed, *options.get("indexByName", {}), *hidden}
            return used - names, {renamed.get(name, name) for name in names - hidden}
        case _:
            raise AssertionError(f"a transformation that this test does not know: {kind}")
