"""The dashboards, each a module with one BOARD: how its queries are drawn, and in which order they are read."""

from __future__ import annotations

from typing import Final

from grafana.generator.board import Board
from grafana.generator.boards import job, jobs, logs, sizing, workers

__all__ = ["BOARDS"]

BOARDS: Final[tuple[Board, ...]] = (workers.BOARD, jobs.BOARD, job.BOARD, sizing.BOARD, logs.BOARD)
