"""The sum over links that come, change their name, and go: nothing counted twice, nothing lost."""

from hypothesis import given
from hypothesis import strategies as st

from fluster.netns.account import LinkAccount
from fluster.netns.counters import NOTHING, Counters
from fluster.netns.message import LinkMessage, Word

LISTED = LinkMessage(Word.LISTED)


def there(number, name, received=0, transmitted=0):
    return LinkMessage(Word.THERE, number, name, False, Counters(received, transmitted))


def gone(number, name, received=0, transmitted=0):
    return LinkMessage(Word.GONE, number, name, False, Counters(received, transmitted))


def opened(*links):
    account = LinkAccount()
    assert account.wants_list
    account.list_asked()
    for each in links:
        account.hear(each)
    account.hear(LISTED)
    return account


def test_nothing_is_known_before_the_list_is_complete():
    account = LinkAccount()
    assert account.total is None
    account.list_asked()
    account.hear(there(2, "eth0", 5, 5))
    assert account.total is None
    account.hear(LISTED)
    assert account.total == (5, 5)


def test_no_interface_is_nothing_carried():
    assert opened(LinkMessage(Word.THERE, 1, "lo", True, Counters(9, 9))).total == NOTHING


def test_live_counters_are_those_of_the_table_and_last_ones_those_of_the_message():
    account = opened(there(2, "eth0", 1, 1))
    account.see({"eth0": Counters(100, 200)})
    assert account.total == (100, 200)
    account.hear(gone(2, "eth0", 130, 240))
    account.see({})
    assert account.total == (130, 240)
    assert not account.missing


def test_all_interfaces_count_those_that_went_and_those_that_came_later():
    account = opened(there(2, "eth0"), there(3, "eth1"))
    account.see({"eth0": Counters(10, 1), "eth1": Counters(20, 2)})
    account.hear(gone(2, "eth0", 11, 1))
    account.hear(there(9, "eth2"))
    account.see({"eth1": Counters(20, 2), "eth2": Counters(300, 30)})
    assert account.total == (331, 33)


def test_a_renamed_link_is_the_same_link():
    account = opened(there(2, "eth0", 10, 20))
    account.see({"veth21bb395": Counters(10, 20)})  # the table is a moment ahead of the message
    assert account.missing
    assert account.total == (10, 20)
    account.hear(there(2, "veth21bb395", 10, 20))
    account.see({"veth21bb395": Counters(12, 22)})
    account.hear(gone(2, "veth21bb395", 12, 22))
    assert account.total == (12, 22)


def test_a_link_that_is_missing_without_a_word_counts_as_it_was_seen_last():
    account = opened(there(2, "eth0"))
    account.see({"eth0": Counters(10, 20)})
    account.see({})
    assert account.missing
    assert account.total == (10, 20)


def test_a_message_that_tells_less_than_was_seen_takes_nothing_away():
    account = opened(there(2, "eth0"))
    account.see({"eth0": Counters(10, 20)})
    account.hear(gone(2, "eth0", 0, 25))
    assert account.total == (10, 25)


def test_after_lost_messages_the_list_tells_what_has_gone():
    account = opened(there(2, "eth0", 10, 20), there(3, "eth1", 1, 1))
    account.messages_lost()
    assert account.wants_list
    account.list_asked()
    account.hear(there(3, "eth1", 2, 2))
    assert account.total == (12, 22)
    account.hear(LISTED)
    account.see({"eth1": Counters(2, 2)})
    assert account.total == (12, 22)
    assert not account.missing
    assert not account.wants_list


def test_messages_lost_while_a_list_is_told_ask_for_the_next_list_only_once_it_is_complete():
    account = LinkAccount()
    account.list_asked()
    account.hear(there(2, "eth0", 10, 20))
    account.messages_lost()
    assert not account.wants_list
    account.hear(LISTED)
    assert account.wants_list
    assert account.total == (10, 20)


def test_a_list_that_failed_ends_no_link_and_is_asked_for_again():
    account = opened(there(2, "eth0", 10, 20))
    account.messages_lost()
    account.list_asked()
    account.hear(LinkMessage(Word.LIST_FAILED))
    assert account.wants_list
    account.list_asked()
    account.hear(there(2, "eth0", 10, 20))
    account.hear(LISTED)
    assert account.total == (10, 20)


counters = st.builds(Counters, st.integers(0, 1000), st.integers(0, 1000))
steps = st.lists(
    st.one_of(
        st.builds(
            LinkMessage,
            st.sampled_from(list(Word)),
            st.integers(1, 3),
            st.sampled_from(["a", "b"]),
            st.just(False),
            counters,
        ),
        st.dictionaries(st.sampled_from(["a", "b", "c"]), counters),
        st.sampled_from(["asked", "lost"]),
    ),
    max_size=30,
)


@given(steps)
def test_whatever_is_told_the_sum_never_falls(told):
    account = opened()
    before = NOTHING
    for each in told:
        if isinstance(each, LinkMessage):
            account.hear(each)
        elif each == "lost":
            account.messages_lost()
        elif each == "asked":
            if account.wants_list:
                account.list_asked()
        else:
            account.see(each)
        assert account.total.at_least(before) == account.total
        before = account.total
