"""Fluster: a job worker with its monitoring built in.

Importing this package is cheap on purpose: job supervisors and the command line import it at every start.
`fluster.Client` and `fluster.AsyncClient` are loaded at first use.
"""

from fluster.version import __version__

__all__ = ["AsyncClient", "Client", "__version__"]


def __getattr__(name: str) -> object:
    if name in {"AsyncClient", "Client"}:
        from fluster import client

        return getattr(client, name)
    raise AttributeError(f"module 'fluster' has no attribute {name!r}")
