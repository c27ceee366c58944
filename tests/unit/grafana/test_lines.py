"""The lines that the worker writes are read by the agents' own expressions: time, stream, flag and text, to the byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluster.cri import CriWriter, format_time
from tests.unit.grafana.agents import AGENTS, groups

NOW = 1_795_453_731_379_364_092
TEXTS = {
    "plain": b"text",
    "empty": b"",
    "spaces": b"  two  spaces  ",
    "like a line of its own": b"2026-11-23T17:08:51.379364092Z stderr P text",
    "flags": b"F P F",
    "NUL": b"a\0b",
    "ANSI": b"\x1b[31mred\x1b[0m",
    "invalid UTF-8": b"\xff\xfe \xc3( \xe2\x82",
    "a progress bar": b"1%\r2%\r3%",
    "other ends of lines": "a\u2028b\x85c\x0bd\x0c".encode(),
    "over-long": b"x" * 1000,
    "parts full to the byte": b"y" * 256,
}


def joined(expression, path):
    """Whole lines with the time of their end, joined by stream as the agents do."""
    whole, held = [], {}
    for raw in path.read_bytes().split(b"\n")[:-1]:
        found = groups(expression.fullmatch(raw))
        stream = found["stream"].decode()
        text = held.pop(stream, b"") + found["log"]
        if found["flag"] == b"P":
            held[stream] = text
        else:
            whole.append((found["time"].decode(), stream, text))
    assert not held
    return whole


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_line_is_read_as_it_was_written(read, tmp_path, stream, text):
    with CriWriter(tmp_path / "job.log", max_line_bytes=64) as writer:
        writer.write(stream, NOW, text + b"\n")
    assert joined(read().line, tmp_path / "job.log") == [(format_time(NOW), stream, text)]


@pytest.mark.parametrize("agent", AGENTS)
@given(lines=st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.binary(max_size=40)), max_size=10))
def test_any_lines_of_both_streams_come_back(agent, tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("log") / "job.log"
    written = [(stream, text.replace(b"\n", b" ")) for stream, text in lines]
    with CriWriter(path, max_line_bytes=7) as writer:
        for at, (stream, text) in enumerate(written):
            writer.write(stream, NOW + at, text + b"\n")
    expected = [(format_time(NOW + at), stream, text) for at, (stream, text) in enumerate(written)]
    assert joined(AGENTS[agent]({}).line, path) == expected


def test_lines_of_two_streams_do_not_mix_while_one_is_unfinished(read, tmp_path):
    with CriWriter(tmp_path / "job.log", max_line_bytes=4) as writer:
        writer.write("stdout", NOW, b"abcdefghi")
        writer.write("stderr", NOW, b"between\n")
        writer.write("stdout", NOW, b"j\n")
    lines = joined(read().line, tmp_path / "job.log")
    assert [(stream, text) for _, stream, text in lines] == [("stderr", b"between"), ("stdout", b"abcdefghij")]
