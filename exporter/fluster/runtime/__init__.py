"""Runtimes: what starts, watches and ends the processes of a job. `contract` says what each one promises."""

from fluster.runtime.contract import (
    Execution,
    ExecutionLostError,
    ExecutionSpec,
    ExitResult,
    FiguresReader,
    Point,
    Runtime,
    RuntimeInfo,
    Workspace,
)
from fluster.runtime.operations import Operations

__all__ = [
    "Execution",
    "ExecutionLostError",
    "ExecutionSpec",
    "ExitResult",
    "FiguresReader",
    "Operations",
    "Point",
    "Runtime",
    "RuntimeInfo",
    "Workspace",
]
