import pytest

from fluster.job import EndReason, JobState
from fluster.logs import LogFilter
from fluster.web.pages.last_words import LastLine, last_words, sources
from tests.unit.pages.jobs import T0, S, job

pytestmark = pytest.mark.anyio
FAILED = job(JobState.FAILED, end_reason=EndReason.EXIT_CODE, exit_code=1, finished_ns=T0 + 9 * S)


class Entry:
    def __init__(self, sequence, data):
        self.sequence, self.data = sequence, data


class Logs:
    def __init__(self, **lines):
        self.lines = lines

    async def query(self, job_id, wanted):
        assert wanted == LogFilter(sources=wanted.sources, tail=6)
        (source,) = wanted.sources
        return type("Page", (), {"entries": self.lines.get(source, [])})


def test_they_stand_where_the_job_failed():
    assert sources(FAILED) == ("stderr", "stdout")
    assert sources(job(JobState.FAILED, end_reason=EndReason.BUILD, run_started_ns=None, finished_ns=T0 + 9 * S)) == (
        "build",
    )
    for state in (JobState.RUNNING, JobState.SUCCEEDED, JobState.KILLED):
        assert sources(job(state)) == ()


async def test_of_stderr_or_where_it_is_silent_of_stdout():
    lines = [Entry(7, b"boom")]
    assert await last_words(FAILED, Logs(stderr=lines, stdout=[Entry(1, b"x")])) == [LastLine(8, "boom")]
    assert await last_words(FAILED, Logs(stdout=lines)) == [LastLine(8, "boom")]
    assert await last_words(FAILED, Logs()) == []


async def test_colours_are_left_out_control_characters_are_seen_and_long_lines_are_cut():
    data = b"\x1b[31mred\x1b[0m \x00\xff" + b"x" * 9000
    (line,) = await last_words(FAILED, Logs(stderr=[Entry(0, data)]))
    assert line.text.startswith("red ␀\ufffdxxx")
    assert len(line.text) == 501
