import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluster.cli.terminal import coloured, printable, run_async


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_colour_is_for_terminals_alone(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert coloured("x", "31", io.StringIO()) == "x"
    assert coloured("x", "31", Terminal()) == "\x1b[31mx\x1b[0m"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_whoever_wants_no_colour_gets_none(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert coloured("x", "31", Terminal()) == "x"


@given(st.text())
def test_text_of_a_job_stays_on_its_line(text):
    shown = printable(text)
    assert len(shown) == len(text)
    assert not set(shown) & set("\x1b\n\r\t\x00\x07\x9b\u2028")


def test_an_error_that_a_task_group_carries_comes_out_as_itself():
    import anyio

    async def work():
        async with anyio.create_task_group(), anyio.create_task_group():
            raise LookupError("inner")

    with pytest.raises(LookupError, match="inner"):
        run_async(work)
