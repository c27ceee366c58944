import json

import pytest

from fluster.errors import ResourceExhaustedError
from fluster.web.followers import Followers
from fluster.web.pages.live import Changes, hello, stream


def read(data):
    """(name, value) of each event."""
    found = []
    for event in data.decode().split("\n\n")[:-1]:
        name, value = event.split("\n")
        found.append((name.removeprefix("event: "), json.loads(value.removeprefix("data: "))))
    return found


def test_only_parts_that_changed_are_sent_again():
    changes = Changes()
    assert read(changes.parts({"a": "<p>1</p>", "b": "<p>\n</p>"})) == [("parts", {"a": "<p>1</p>", "b": "<p>\n</p>"})]
    assert changes.parts({"a": "<p>1</p>", "b": "<p>\n</p>"}) == b""
    assert read(changes.parts({"a": "<p>2</p>", "b": "<p>\n</p>"})) == [("parts", {"a": "<p>2</p>"})]


def test_a_part_that_comes_back_is_sent_again():
    changes = Changes()
    changes.parts({"a": "1"})
    assert changes.parts({}) == b""
    assert read(changes.parts({"a": "1"})) == [("parts", {"a": "1"})]


def test_a_value_is_told_once():
    changes = Changes()
    assert read(changes.value("order", ["x"])) == [("order", ["x"])]
    assert changes.value("order", ["x"]) == b""
    assert read(changes.value("order", [])) == [("order", [])]
    assert read(changes.parts({"order": "x"})) == [("parts", {"order": "x"})]


def test_the_first_event_names_the_static_files_and_the_time():
    ((name, value),) = read(hello("abc"))
    assert (name, value["assets"]) == ("hello", "abc")
    assert value["now"] > 1_700_000_000_000


def test_there_is_no_place_for_more_than_the_limit():
    async def events():
        yield b""

    followers = Followers(1)
    stream(followers, events)
    with pytest.raises(ResourceExhaustedError, match="1 followers"):
        stream(followers, events)
