import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluster.sizes import format_bytes, format_duration, parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512m", 512 * 1024**2),
        ("1.5g", 1536 * 1024**2),
        ("2GiB", 2 * 1024**3),
        ("2Gi", 2 * 1024**3),
        ("3 kB", 3000),
        ("7MB", 7_000_000),
        ("1b", 1),
        ("1T", 1024**4),
    ],
)
def test_sizes_as_people_write_them(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("512", "has no unit"),
        ("", "is not a size"),
        ("m", "is not a size"),
        ("-1m", "is not a size"),
        ("1x", "unknown unit 'x'"),
        ("0m", "out of range"),
        ("9000000t", "out of range"),
        ("1e3m", "is not a size"),
        ("٣m", "is not a size"),
    ],
)
def test_a_bad_size_says_what_is_wrong(text, says):
    with pytest.raises(ValueError, match=says):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("1h30m", 5400), ("250ms", 0.25), ("1.5h", 5400), ("1d 2h", 93600), ("0s", 0)]
)
def test_durations_as_people_write_them(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["90", "", "s", "1h30", "-5s", "5 fortnights", "1h,2m"])
def test_a_bad_duration_says_how_to_write_it(text):
    with pytest.raises(ValueError, match="write it like 90s"):
        parse_duration(text)


@given(st.text(max_size=20))
def test_any_text_is_a_size_or_one_sentence(text):
    try:
        assert parse_size(text) > 0
    except ValueError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (210862080, "201 MiB"), (5 * 1024**4, "5.0 TiB")],
)
def test_bytes_for_people(size, text):
    assert format_bytes(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.085, "85 ms"),
        (3.21, "3.2 s"),
        (59.97, "1 min"),
        (192, "3 min 12 s"),
        (7500, "2 h 5 min"),
        (273600, "3 d 4 h"),
    ],
)
def test_durations_for_people(seconds, text):
    assert format_duration(seconds) == text
