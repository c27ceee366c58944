"""A search that looks for literals first finds what one that looks at every line finds."""

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from fluster.logs import LogFilter
from fluster.logs.matcher import Matcher, required_literals


@pytest.mark.parametrize(
    ("regex", "literals"),
    [
        ("zebra", ["zebra"]),
        ("[0-9]+ zebras", [" zebras"]),
        ("(error|fatal|panic)", ["error", "fatal", "panic"]),
        ("error|fatal", ["error", "fatal"]),
        ("^Traceback", ["Traceback"]),
        ("ab(cde)+f", ["cde"]),
        ("a?b*", []),
        ("(?i)zebra", []),
        ("(?i:zebra)", []),
        ("x", ["x"]),
        ("[0-9]{7}[a-f]{3}z", ["z"]),
        ("error|.", []),
        ("[0-9]{7}", []),
        (r"\Qa.b\E", []),
        (r"a\.b\.c", ["a.b.c"]),
        ("größe", ["größe"]),
        ("a\ufffdb", []),
        ("ab\n", []),
        ("|".join(f"{n}word" for n in range(9)), []),
    ],
)
def test_what_every_match_must_contain(regex, literals):
    assert required_literals(regex) == literals


ATOMS = st.sampled_from(
    ["ab", "c", "d", "(ab|cd)", "[abc]", ".", "a*", "(bc)+", "^", "$", "(?:d|ab)", "b{2}", "(?i:AB)", r"\.", "é",
     "|", "[^a]", "[]^$]", r"[\]^]", r"\^", r"\A", r"\z", r"\b", r"\B", r"\s", "(?s:.)", "(?m:^)", "(?m:$)", "(^|c)", "std", "[0-9]{2}",
     r"\C", r"\Qa^\E", r"\pL", " ", "�"]
)  # fmt: skip
REGEX = st.lists(ATOMS, min_size=1, max_size=4).map("".join)


@given(
    REGEX,
    st.lists(
        st.one_of(st.text("abcdABé.^ 17", max_size=8).map(str.encode), st.sampled_from([b"ab\xff", b"\xe9"])),
        max_size=10,
    ),
)
def test_no_line_that_matches_is_passed_over(regex, texts):
    matcher = Matcher(LogFilter(regex=regex))
    block = b"".join(b"2026-11-23T17:08:51.379364092Z stdout F " + text + b"\n" for text in texts)
    matching = [number for number, text in enumerate(texts) if re2.search(regex, text.decode("utf-8", "replace"))]
    if not matcher.searches:
        return
    found = list(matcher.lines(block))
    begins = [block.count(b"\n", 0, begin) for begin, _ in found]
    assert begins == sorted(set(begins))
    assert set(matching) <= set(begins)
    assert all(
        block[end - 1 : end] == b"\n" and (begin == 0 or block[begin - 1 : begin] == b"\n") for begin, end in found
    )
