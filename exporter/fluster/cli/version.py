"""`fluster version`."""

from __future__ import annotations

__all__ = ["version"]


def version() -> None:
    """Print the version."""
    from fluster import __version__

    print(f"fluster {__version__}")
