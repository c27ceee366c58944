"""The columns of a table panel: what its queries give, and what its transformations and overrides speak of."""

__all__ = ["unknown_columns"]


def unknown_columns(panel, answers):
    """The names that the panel speaks of and that its queries do not give. `answers` are series by refId."""
    tables = [query for query in panel.queries if query.format == "table"]
    if not tables:
        return set()
    names = {"Time"}
    for query in tables:
        names |= {label for series in answers[query.ref] for label in series.labels}
        names.add(f"Value #{query.ref}" if len(tables) > 1 else "Value")
    unknown = set()
    for transformation in panel.transformations:
        used, renamed, made = _step(transformation["id"], transformation.get("options", {}))
        unknown |= used - names
        names = {renamed.get(name, name) for name in names} | made
    for override in panel.overrides:
        matcher = override["matcher"]
        if matcher["id"] == "byName" and matcher["options"] not in names:
            unknown.add(matcher["options"])
    return unknown


def _step(kind, options):
    """(columns that a transformation speaks of, new names by old ones, columns that it adds)."""
    match kind:
        case "organize":
            renamed = {old: new for old, new in options.get("renameByName", {}).items() if new}
            hidden = {name for name, hide in options.get("excludeByName", {}).items() if hide}
            # What is hidden may be absent: that is what it is hidden for.
            return (set(renamed) | set(options.get("indexByName", {}))) - hidden, renamed, set()
        case "joinByField" | "seriesToColumns":
            return {options["byField"]}, {}, set()
        case "filterFieldsByName":
            return set(options.get("include", {}).get("names", [])), {}, set()
        case "calculateField":
            binary = options.get("binary", {})
            sides = (binary.get("left"), binary.get("right"))
            used = {side if isinstance(side, str) else side.get("matcher", {}).get("options", "") for side in sides if side}
            return {each for each in used if each and not each.replace(".", "").isdigit()}, {}, {options.get("alias", "")}
        case "sortBy":
            return {each["field"] for each in options.get("sort", [])}, {}, set()
        case "merge" | "labelsToFields" | "reduce" | "seriesToRows":
            return set(), {}, set()
        case _:
            raise AssertionError(f"a transformation that this test does not know: {kind}")
