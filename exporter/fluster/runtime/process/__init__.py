"""Jobs as local processes, each under a small supervisor process of its own (the shim), which survives the worker."""

from fluster.runtime.process.runtime import ProcessRuntime

__all__ = ["ProcessRuntime"]
