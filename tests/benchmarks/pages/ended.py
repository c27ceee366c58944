"""Workers that remember jobs which ended before: a thousand of them, or one with a log of any length."""

import dataclasses
import random
import sys

from fluster.cri import CriWriter, format_time
from fluster.logs import LogStore
from tests.benchmarks.logs.history import BEGIN_NS, LINE_NS
from tests.benchmarks.metrics.jobs import make_jobs, remember

JOBS = 1000
LAST = "the last line of all"
_BLOCK = 2500
"""Lines written at once, a quarter of a MiB."""


def remember_jobs(folder):
    remember(folder / "state", make_jobs(JOBS))


def remember_logs(folder, lines):
    """`lines`: job id -> length of its log; each log ends with LAST. Returns the bytes of each."""
    logs = LogStore(folder / "state" / "logs")
    jobs = []
    for job, (job_id, count) in zip(make_jobs(len(lines)), lines.items(), strict=True):
        logs.create(job_id)
        _write(str(logs.job_path(job_id)), count)
        jobs.append(dataclasses.replace(job, id=job_id, logs=logs.counts(job_id)))
    remember(folder / "state", jobs)
    return {job_id: logs.job_path(job_id).stat().st_size for job_id in lines}


def _write(path, count):
    dice = random.Random(7)  # the same log in every run
    words = [
        f"worker {dice.randrange(64)} took task {dice.getrandbits(64):016x} of queue default" for _ in range(_BLOCK)
    ]
    with CriWriter(path, segment_bytes=sys.maxsize, limit_bytes=sys.maxsize) as writer:
        for begin in range(0, count, _BLOCK):
            texts = words[: min(_BLOCK, count - begin)]
            if begin + len(texts) == count:
                texts[-1] = LAST
            first = BEGIN_NS + begin * LINE_NS
            entries = [f"{format_time(first + at * LINE_NS)} stdout F {text}\n" for at, text in enumerate(texts)]
            writer.add_lines(
                "".join(entries).encode(), stdout=(len(texts), sum(map(len, texts)) + len(texts)), stderr=(0, 0),
                first_ns=first, last_ns=first + (len(texts) - 1) * LINE_NS,
            )  # fmt: skip
            writer.commit()
