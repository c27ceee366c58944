"""What stays of earlier runs of `fluster run`."""

import os

from fluster.cli.run import _prune
from fluster.store import StateLock


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
