"""What the rows of one run share: how many rounds, an engine, and what must be put away at the end."""

import tempfile
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

from tests.benchmarks.containers import open_engine


class Bench(ExitStack):
    def __init__(self, *, rounds, quick):
        super().__init__()
        self.rounds = rounds
        self.quick = quick

    def pick(self, full, quick):
        """A size: the smoke run's is smaller."""
        return quick if self.quick else full

    @cached_property
    def engine(self):
        """Started when the first row wants it."""
        return self.enter_context(open_engine())

    def folder(self):
        """A directory of the caller's own. The name is short: sockets live below it."""
        return Path(
            self.enter_context(tempfile.TemporaryDirectory(prefix="fb-", dir="/tmp", ignore_cleanup_errors=True))
        )

    def interleave(self, sides):
        """`sides`: name -> callable that gives one figure. A B A B: what disturbs the machine disturbs all of them."""
        found = {name: [] for name in sides}
        for _ in range(self.rounds):
            for name, measure in sides.items():
                found[name].append(measure())
        return found
