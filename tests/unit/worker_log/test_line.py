"""One record is one line: as JSON that any reader takes, as text that steers no terminal."""

import json
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest

from fluster.worker_log.line import Line, json_line, text_line

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
HOSTILE = "a\nb\r\x1b[2J\x1b]0;title\x07\x7f\x9b31m\u202egpj.exe\u2028\ud800é"


def failed(error):
    """What loguru has of an error."""
    if error is None:
        return None
    try:
        raise error
    except type(error) as raised:
        return SimpleNamespace(type=type(raised), value=raised, traceback=raised.__traceback__)


def of(error=None, message="broke", **extra):
    level = SimpleNamespace(name="ERROR")
    return Line.of({"time": NOON, "level": level, "message": message, "extra": extra, "exception": failed(error)})


def test_a_line_has_its_fields_in_this_order_and_no_others():
    line = of(ValueError("bad"), job_id="j-1", phase="running", other="left out")
    document = json.loads(json_line(line))
    assert list(document) == ["time", "level", "message", "job_id", "phase", "error", "traceback"]
    assert document["error"] == "ValueError: bad"
    assert document["traceback"].endswith("ValueError: bad\n")
    assert list(json.loads(json_line(of()))) == ["time", "level", "message"]


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5, minutes=30))])
def test_times_are_utc_with_six_digits(zone):
    line = Line(time=NOON.astimezone(zone), level="INFO", message="m")
    assert json.loads(json_line(line))["time"] == "2026-11-23T12:00:00.000000Z"


def test_nothing_in_a_json_line_steers_a_terminal_and_nothing_is_lost():
    written = json_line(Line(level="INFO", message=HOSTILE))
    assert written.endswith(b"\n")
    assert written.decode()[:-1].isprintable()
    assert json.loads(written)["message"] == HOSTILE.replace("\ud800", "\ufffd")


@pytest.mark.parametrize("colour", [False, True])
def test_nothing_in_a_text_line_steers_a_terminal(colour):
    written = text_line(of(ValueError(HOSTILE), message=HOSTILE), colour=colour).decode()
    first, *below = written.splitlines()
    assert first.endswith(r" a\nb\r\x1b[2J\x1b]0;title\x07\x7f\x9b31m\u202egpj.exe\u2028\ud800é")
    assert all(line.startswith("    ") and line.isprintable() for line in below)
    assert first.count("\x1b") == (4 if colour else 0)


def test_an_error_that_cannot_be_shown_is_a_line_all_the_same():
    class MuteError(Exception):
        def __str__(self):
            raise RuntimeError

    assert json.loads(json_line(of(MuteError())))["error"] == "MuteError: (it cannot be shown)"


def test_causes_and_groups_are_in_the_traceback():
    group = ExceptionGroup("two", [OSError("disk"), ValueError("field")])
    document = json.loads(json_line(of(group)))
    assert "OSError: disk" in document["traceback"]
    assert "ValueError: field" in document["traceback"]


def test_a_long_message_keeps_its_ends():
    message = json.loads(json_line(of(message="<" + "x" * 100_000 + ">")))["message"]
    assert (len(message) < 5_000, message[0], message[-1]) == (True, "<", ">")
