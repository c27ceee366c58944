import pytest

from fluster.errors import InvalidArgumentError, NotFoundError
from fluster.job import Job, JobRequest, JobState
from fluster.manager import JobTable


def job(sequence, *, name="n", state=JobState.PENDING, finished_ns=None):
    return Job(
        id=f"j{sequence}",
        request=JobRequest(name=name, command=("true",)),
        worker_id="w",
        submitted_ns=sequence,
        sequence=sequence,
        state=state,
        finished_ns=finished_ns,
    )


def page(table, **changes):
    return table.page(**{"states": frozenset(), "text": "", "limit": 100, "cursor": "", **changes})


@pytest.fixture
def table():
    table = JobTable()
    for sequence in (3, 1, 2, 5, 4):
        table.put(job(sequence, name="odd" if sequence % 2 else "Even"))
    return table


def test_pages_are_newest_first_and_join_without_gap_or_double(table):
    first = page(table, limit=2)
    second = page(table, limit=2, cursor=first.next_cursor)
    third = page(table, limit=2, cursor=second.next_cursor)
    assert [[each.id for each in part.jobs] for part in (first, second, third)] == [["j5", "j4"], ["j3", "j2"], ["j1"]]
    assert third.next_cursor == ""


def test_pages_lead_back_as_they_led_on(table):
    first = page(table, limit=2)
    second = page(table, limit=2, cursor=first.next_cursor)
    third = page(table, limit=2, cursor=second.next_cursor)
    assert (first.newer_cursor, second.newer_cursor) == (None, "")
    assert page(table, limit=2, cursor=third.newer_cursor) == second
    table.put(job(6))
    table.put(job(7))
    again = page(table, limit=2, cursor=first.next_cursor)
    back = page(table, limit=2, cursor=again.newer_cursor)
    assert [each.id for each in back.jobs] == ["j5", "j4"]


def test_newer_pages_are_of_the_same_filter(table):
    last = page(table, limit=1, text="odd", cursor="3")
    assert [each.id for each in last.jobs] == ["j1"]
    assert [each.id for each in page(table, limit=1, text="odd", cursor=last.newer_cursor).jobs] == ["j3"]


def test_a_cursor_stays_right_while_jobs_come_and_go(table):
    first = page(table, limit=2)
    table.put(job(6))
    table.remove("j3")
    assert [each.id for each in page(table, cursor=first.next_cursor).jobs] == ["j2", "j1"]


def test_filters_by_state_and_text_without_case(table):
    table.put(job(4, name="Even", state=JobState.FAILED))
    assert [each.id for each in page(table, states={JobState.FAILED}).jobs] == ["j4"]
    assert [each.id for each in page(table, text="EVEN").jobs] == ["j4", "j2"]
    assert [each.id for each in page(table, text="J5").jobs] == ["j5"]


@pytest.mark.parametrize("cursor", ["x", "-1", "1" * 30, "٣"])
def test_a_foreign_cursor_is_refused(table, cursor):
    with pytest.raises(InvalidArgumentError, match="cursor: "):
        page(table, cursor=cursor)


def test_counts_know_every_state_from_the_start(table):
    assert JobTable().counts() == dict.fromkeys((state for state in JobState if state), 0)
    table.put(job(1, state=JobState.RUNNING))
    assert table.counts()[JobState.PENDING] == 4
    assert table.counts()[JobState.RUNNING] == 1
    table.remove("j1")
    assert table.counts()[JobState.RUNNING] == 0


def test_an_unknown_id_is_one_sentence(table):
    with pytest.raises(NotFoundError, match="there is no job 'x'"):
        table.get("x")


def test_the_oldest_finished_are_forgotten_first_and_live_ones_never(table):
    for sequence, finished_ns in ((1, 30), (2, 10), (3, 20)):
        table.put(job(sequence, state=JobState.SUCCEEDED, finished_ns=finished_ns))
    assert table.forgettable(keep_jobs=2, finished_before_ns=0) == ["j2"]
    assert table.forgettable(keep_jobs=100, finished_before_ns=25) == ["j2", "j3"]
    assert table.forgettable(keep_jobs=0, finished_before_ns=0) == ["j2", "j3", "j1"]


def test_the_last_finished_come_in_the_order_of_their_ends(table):
    for sequence, finished_ns in ((1, 30), (2, 10), (3, 20)):
        table.put(job(sequence, state=JobState.SUCCEEDED, finished_ns=finished_ns))
    table.put(job(3, state=JobState.SUCCEEDED, finished_ns=20))
    ids = [
        [each.id for each in table.finished(since_ns=since, at_most=most)]
        for since, most in ((0, 9), (15, 9), (0, 2), (0, 0))
    ]
    assert ids == [["j2", "j3", "j1"], ["j3", "j1"], ["j3", "j1"], []]
    table.remove("j3")
    assert [each.id for each in table.finished(since_ns=0, at_most=9)] == ["j2", "j1"]
