"""What `fluster run` prints of a log: the job's bytes, with the newlines that it wrote and no other."""

import io
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluster.cli import output as module
from fluster.cli.output import JobOutput
from fluster.logs import LogEntry
from fluster.logs.position import Position

pytestmark = pytest.mark.anyio


def entries(*lines):
    return [
        LogEntry(timestamp_ns=0, source=source, data=data, sequence=0, after=Position("j", 0, 0, 1)) for source, data in lines
    ]  # fmt: skip


@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"


@given(
    written=st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.binary(max_size=5)), max_size=30),
    bare=st.sets(st.sampled_from(["stdout", "stderr"])),
    cuts=st.sets(st.integers(0, 30)),
)
async def test_every_stream_comes_out_as_it_was_written(written, bare, cuts):
    lines = [(source, data.replace(b"\n", b"")) for source, data in written]
    wanted = {"stdout": b"", "stderr": b""}
    for source, data in lines:
        wanted[source] += data + b"\n"
    # An unfinished last line is never empty: there would be nothing of it.
    for source in bare:
        last = [data for name, data in lines if name == source][-1:]
        if last and last[0]:
            wanted[source] = wanted[source][:-1]
    counts = {source: len(text) for source, text in wanted.items()}
    out, err = io.BytesIO(), io.BytesIO()
    output = JobOutput(out, err)
    edges = [0, *sorted(cut for cut in cuts if cut < len(lines)), len(lines)]
    for begin, end in itertools.pairwise(edges):
        await output.write(entries(*lines[begin:end]), lambda: counts)
    assert {"stdout": out.getvalue(), "stderr": err.getvalue()} == wanted


async def test_on_one_terminal_lines_stay_whole():
    terminal = io.BytesIO()
    batch = entries(("build", b"ready"), ("stdout", b"out"), ("stderr", b"err"), ("stdout", b""), ("stdout", b"end"))
    await JobOutput(terminal, terminal).write(batch, lambda: {"stdout": 8, "stderr": 4})
    assert terminal.getvalue() == b"ready\nout\nerr\n\nend"


async def test_counts_that_are_written_behind_the_log_are_waited_for():
    late = iter([{}, {"stdout": 0}, {"stdout": 3}])
    out = io.BytesIO()
    await JobOutput(out, io.BytesIO()).write(entries(("stdout", b"abc")), lambda: next(late))
    assert out.getvalue() == b"abc"


async def test_counts_that_never_come_hold_nothing_back(monkeypatch):
    monkeypatch.setattr(module, "_SETTLE_SECONDS", 0.0)
    out = io.BytesIO()
    output = JobOutput(out, io.BytesIO())
    await output.write(entries(("stdout", b"a")), dict)
    await output.write(entries(("stdout", b"b")), dict)
    assert out.getvalue() == b"a\nb\n"


async def test_a_line_in_several_entries_is_one_line_and_missing_lines_are_told():
    out, err = io.BytesIO(), io.BytesIO()
    begun, ended = entries(("stdout", b"begun "), ("stdout", b"ended"))
    begun = begun._replace(after=Position("j", 0, 0, 0), truncated=True)
    (later,) = entries(("stdout", b"later"))
    batch = [begun, ended._replace(truncated=True), later._replace(dropped=7)]
    await JobOutput(out, err).write(batch, lambda: {"stdout": 18, "stderr": 0})
    assert out.getvalue() == b"begun ended\nlater\n"
    assert err.getvalue() == b"fluster: 7 lines are missing here\n"
