"""The worker's own log: loguru, text for people on a terminal, JSON lines otherwise. Nothing of a job's output is in it."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, TextIO

import orjson
from loguru import logger

if TYPE_CHECKING:
    from loguru import Message, Record

__all__ = ["configure", "json_line"]


def configure(level: str, stream: TextIO | None = None) -> None:
    """Send all logging, of libraries too, to `stream` (stderr), once."""
    target = stream or sys.stderr
    logger.remove()
    if target.isatty():
        logger.add(target, level=level, format=_text, colorize=True, backtrace=False, diagnose=False)
    else:
        logger.add(_json_sink(target), level=level, format="{message}", backtrace=False, diagnose=False)
    logging.basicConfig(handlers=[_Intercept()], level=logging.WARNING, force=True)


def _text(record: Record) -> str:
    # Braces and angle brackets of a message are text: loguru formats what this returns.
    record["extra"]["shown"] = record["message"].replace("\n", "\\n")
    return "<dim>{time:HH:mm:ss.SSS}</dim> <level>{level: <7}</level> {extra[shown]}\n{exception}"


def json_line(record: dict[str, Any]) -> bytes:
    """One record as one line: a newline in a message cannot forge another."""
    document: dict[str, Any] = {
        "time": record["time"].isoformat(),
        "level": record["level"].name.lower(),
        "message": record["message"],
        **{name: value for name, value in record["extra"].items() if name != "shown"},
    }
    if record["exception"] is not None and record["exception"].type is not None:
        document["error"] = f"{record['exception'].type.__name__}: {record['exception'].value}"
        if record["exception"].traceback is not None:
            import traceback

            document["traceback"] = "".join(traceback.format_tb(record["exception"].traceback))
    return orjson.dumps(document, default=str, option=orjson.OPT_APPEND_NEWLINE)


def _json_sink(target: TextIO) -> Any:
    def sink(message: Message) -> None:
        target.write(json_line(dict(message.record)).decode())
        target.flush()

    return sink


class _Intercept(logging.Handler):
    """Standard logging (uvicorn, docker, urllib3) goes the same way."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            level: str | int = logger.level(record.levelname).name
        except ValueError:
            level = record.levelno
        logger.opt(depth=6, exception=record.exc_info).log(level, "{}", record.getMessage())
