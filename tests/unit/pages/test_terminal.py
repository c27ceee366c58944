import re

from hypothesis import given
from hypothesis import strategies as st

from fluster.web.pages.terminal import segments, visible


def test_plain_text_is_one_piece():
    assert segments("all is well") == [("", "all is well")]
    assert segments("") == []


def test_colours_and_weight_become_classes():
    assert segments("\x1b[31mred\x1b[0m plain \x1b[1;94mbold blue\x1b[39m bold\x1b[22m none") == [
        ("f31", "red"),
        ("", " plain "),
        ("a1 f94", "bold blue"),
        ("a1", " bold"),
        ("", " none"),
    ]


def test_numbers_of_a_wide_colour_are_no_codes_of_their_own():
    assert segments("\x1b[38;5;1mbasic") == [("f31", "basic")]
    assert segments("\x1b[38;5;9mbright") == [("f91", "bright")]
    assert segments("\x1b[38;5;196mno class") == [("", "no class")]
    assert segments("\x1b[38;2;31;4;1mno class") == [("", "no class")]
    assert segments("\x1b[48;5;1;32mgreen") == [("f32", "green")]


def test_what_moves_the_cursor_or_sets_a_title_is_left_out():
    assert segments("\x1b[2J\x1b[10;5Hhere\x1b]0;a title\x07\x1b[Kend") == [("", "here"), ("", "end")]


def test_control_and_bidi_characters_are_marks():
    assert visible("a\0b\rc\x1b\x7f\u202eexe.gnp\u2066") == "a␀b␍c␛\ufffd\ufffdexe.gnp\ufffd"
    assert visible("tab\tand\nnewline, naïve 日本") == "tab\tand\nnewline, naïve 日本"


@given(st.text(alphabet=st.sampled_from("\x1b[;:0123456789mHK]\x07\0\u202e<&a ")))
def test_nothing_harmful_is_left_of_any_text(text):
    for classes, piece in segments(text):
        assert re.fullmatch(r"([af]\d+( [af]\d+)*)?", classes)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", piece)


@given(st.lists(st.tuples(st.sampled_from(["", "31", "1", "38;5;3", "0"]), st.text("abc <&>", min_size=1))))
def test_no_visible_character_is_lost(parts):
    text = "".join(f"\x1b[{code}m{piece}" for code, piece in parts)
    assert "".join(piece for _, piece in segments(text)) == "".join(piece for _, piece in parts)
