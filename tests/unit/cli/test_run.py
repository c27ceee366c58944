"""What `fluster run` prints of a log: the job's bytes, with the newlines that it wrote and no other."""

import io
import os

import pytest

from fluster.cli.run import _finish_lines, _prune
from fluster.job import Job, JobRequest, LogCounts
from fluster.store import StateLock


def job(stdout):
    return Job(
        id="j", worker_id="w", submitted_ns=0, request=JobRequest(name="n", command=("x",)), logs=LogCounts(bytes={"stdout": stdout})
    )  # fmt: skip


@pytest.mark.parametrize(
    ("counted", "over", "printed", "still_open"),
    [
        (4, False, b"\n", False),  # the log says: four bytes, the newline is one of them
        (9, False, b"\n", False),  # more lines are there already
        (3, False, b"", True),  # not yet known
        (0, False, b"", True),  # counts that lag behind the log say nothing
        (3, True, b"", False),  # it ended without one
        (4, True, b"\n", False),
        (9, True, b"\n", False),
    ],
)
def test_a_newline_is_printed_once_it_is_known_that_the_job_wrote_it(counted, over, printed, still_open):
    stream, open_line = io.BytesIO(), {"stdout"}
    _finish_lines(job(counted), {"stdout": len(b"abc") + 1, "stderr": 0}, open_line, {"stdout": stream}, over=over)
    assert stream.getvalue() == printed
    assert bool(open_line) is still_open


def test_twenty_runs_are_kept_and_a_live_one_is_never_touched(tmp_path):
    for number in range(25):
        home = tmp_path / f"run-{number:02d}"
        with StateLock(home):
            pass
        os.utime(home, (number, number))
    with StateLock(tmp_path / "run-00"):
        os.utime(tmp_path / "run-00", (0, 0))
        _prune(tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["run-00", *(f"run-{n:02d}" for n in range(5, 25))]
