import pytest

from fluster.job import JobState, Limits
from fluster.web.pages.memory import memory
from tests.unit.pages.jobs import GIB, job


@pytest.mark.parametrize(
    ("state", "figures", "limit", "sentence"),
    [
        (JobState.RUNNING, {"memory_usage_bytes": GIB, "memory_peak_bytes": 2 * GIB}, 4 * GIB, "1.0 of 4.0 GiB, peak 2.0"),
        (JobState.RUNNING, {"memory_usage_bytes": 1024, "memory_peak_bytes": 2 * GIB}, 4 * GIB, "1.0 KiB of 4.0 GiB, peak 2.0"),
        (JobState.RUNNING, {"memory_usage_bytes": GIB, "memory_peak_bytes": 2 * GIB}, None, "1.0 GiB, peak 2.0 GiB"),
        (JobState.RUNNING, {"memory_usage_bytes": GIB}, 4 * GIB, "1.0 of 4.0 GiB"),
        (JobState.FAILED, {"memory_usage_bytes": GIB, "memory_peak_bytes": 4 * GIB}, 4 * GIB, "peak 4.0 of 4.0 GiB"),
    ],
)  # fmt: skip
def test_the_sentence(state, figures, limit, sentence):
    assert memory(job(state, figures=figures, limits=Limits(memory_bytes=limit))).sentence == sentence


def test_a_row_has_used_and_limit_in_one_unit_and_the_peak_beside_it():
    seen = {"memory_usage_bytes": 3 * GIB // 2, "memory_peak_bytes": 2 * GIB}
    live = memory(job(figures=seen, limits=Limits(memory_bytes=4 * GIB)))
    assert (live.text, live.note) == ("1.5 / 4.0 GiB", "peak 2.0")
    assert live.title == "1.5 GiB used, peak 2.0 GiB, limit 4.0 GiB"
    assert (live.share, live.peak_share) == (0.375, 0.5)
    ended = memory(job(JobState.FAILED, figures=seen, limits=Limits(memory_bytes=4 * GIB)))
    assert (ended.text, ended.note, ended.title) == ("2.0 / 4.0 GiB", "peak", "peak 2.0 GiB, limit 4.0 GiB")
    assert ended.share == ended.peak_share == 0.5


def test_without_a_limit_there_is_no_share():
    free = memory(job(figures={"memory_usage_bytes": GIB, "memory_peak_bytes": GIB}))
    assert (free.text, free.note, free.share, free.peak_share) == ("1.0 GiB", "peak 1.0 GiB", None, None)
    assert free.title == "1.0 GiB used, peak 1.0 GiB, no limit"


def test_what_is_not_known_is_not_zero():
    assert memory(job(limits=Limits(memory_bytes=GIB))) is None
    assert memory(job(JobState.FAILED, figures={"memory_usage_bytes": GIB})) is None
