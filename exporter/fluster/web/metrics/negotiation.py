"""What a scraper accepts (RFC 9110, 12.5): pure functions of its headers."""

from __future__ import annotations

from collections.abc import Iterator

from fluster.collectors import Format

__all__ = ["accepts_gzip", "choose_format"]


def choose_format(accept: str) -> Format:
    """The format that is liked best; OpenMetrics only where it is named in a version that is spoken here, text for all others."""
    best, liked = Format.TEXT, 0.0
    for name, parameters, weight in _choices(accept):
        if name == "application/openmetrics-text" and parameters.get("version", "1.0.0") in {"1.0.0", "0.0.1"}:
            form = Format.OPENMETRICS
        elif name in {"text/plain", "text/*", "*/*"}:
            form = Format.TEXT
        else:
            continue
        if weight > liked:
            best, liked = form, weight
    return best


def accepts_gzip(accept_encoding: str) -> bool:
    weights = {name: weight for name, _, weight in _choices(accept_encoding)}
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _choices(header: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """Each choice of a header: its name, its parameters, its weight (1 where none is told, 0 where it cannot be read)."""
    for choice in header.split(","):
        name, *rest = (part.strip() for part in choice.split(";"))
        parameters = {
            key.strip().lower(): value.strip().strip('"') for key, _, value in (each.partition("=") for each in rest)
        }
        try:
            weight = float(parameters.pop("q", "1"))
        except ValueError:
            weight = 0.0
        if name:
            yield name.lower(), parameters, weight
