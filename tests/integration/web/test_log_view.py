"""What the log view of the job page asks for: rows, places, hits."""

import pytest

pytestmark = pytest.mark.anyio
PROGRAM = """
import sys
for number in range(300):
    print("line", number, flush=True)
    if number % 10 == 0:
        print("warning", number, file=sys.stderr, flush=True)
print("\\x1b[31mred\\x1b[0m <b>\\x00", "x" * 5000)
"""


@pytest.fixture
async def asked(worker):
    """asked(path, query): status and document of the log view of one job that wrote 301 lines and 31 warnings, after a line of its build."""
    async with worker() as w:
        job_id = await w.submit("python3", "-c", PROGRAM)
        await w.wait(job_id)

        async def ask(path="", **query):
            answer = await w.http.get(f"/job/{job_id}/log{path}", params=query)
            return answer.status_code, answer.json()

        ask.job_id, ask.http = job_id, w.http
        yield ask


def texts(document):
    return ["".join(piece for _, piece in line["pieces"]) for line in document["lines"]]


async def test_lines_by_row(asked):
    status, found = await asked(source="stderr", start=2, limit=3)
    assert (status, found["first"]) == (200, 2)
    assert texts(found) == ["warning 20", "warning 30", "warning 40"]
    status, everything = await asked(limit=1000)
    numbers = {text: line["number"] for text, line in zip(texts(everything), everything["lines"], strict=True)}
    assert [line["number"] for line in found["lines"]] == [numbers[f"warning {n}"] for n in (20, 30, 40)]
    assert sorted(numbers.values()) == list(range(1, len(everything["lines"]) + 1))
    assert (await asked(start=10**9))[1] == {"first": 10**9, "lines": []}


async def test_a_row_of_a_line_and_of_a_time(asked):
    everything = (await asked(limit=1000))[1]["lines"]
    for place in (0, 1, 57, len(everything) - 1):
        line = everything[place]
        row = sum(each["source"] == line["source"] for each in everything[:place])
        assert (await asked("/row", source=line["source"], line=line["number"]))[1]["row"] == row
        assert (await asked("/row", line=line["number"]))[1] == {"row": place, "number": line["number"]}
    at = int(everything[100]["ns"]) // 10**6 + 1
    found = (await asked("/row", at=at))[1]
    assert everything[found["row"] - 1]["ns"] < str(at * 10**6) <= everything[found["row"]]["ns"]
    assert (await asked("/row", at="0s"))[1]["row"] == len(everything)


async def test_hits(asked):
    everything = (await asked(limit=1000))[1]
    expected = [
        line["number"] for text, line in zip(texts(everything), everything["lines"], strict=True) if text.endswith("7")
    ]
    assert (await asked("/hits", grep="7$"))[1] == {"lines": expected, "more": False}
    assert (await asked("/hits", grep="7$", before=expected[5]))[1]["lines"] == expected[:5]
    assert (await asked("/hits", grep="7$", after=expected[5]))[1]["lines"] == expected[6:]
    assert len((await asked("/hits", grep="(?i)WARNING", source="stderr"))[1]["lines"]) == 30
    assert (await asked("/hits", grep="(?i)WARNING", source="stdout"))[1]["lines"] == []


async def test_a_long_line_is_cut_until_all_of_it_is_asked_for(asked):
    (line,) = (await asked(source="stdout", start=300))[1]["lines"]
    assert line["pieces"][0] == ["f31", "red"]
    assert line["pieces"][1][1].startswith(" <b>␀ xxx")
    assert sum(len(piece) for _, piece in line["pieces"]) < 2000 < line["size"]
    (whole,) = (await asked(source="stdout", start=300, whole=1))[1]["lines"]
    assert (whole["size"], len(whole["pieces"][1][1])) == (0, 5006)


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("", {"start": "x"}, "start"),
        ("", {"limit": 5000}, "limit"),
        ("", {"source": "stdin"}, "source"),
        ("/row", {}, "line"),
        ("/row", {"line": 0}, "line"),
        ("/row", {"at": "noon"}, "at"),
        ("/hits", {}, "grep"),
        ("/hits", {"grep": "("}, "grep"),
        ("/hits", {"grep": "a", "before": -1}, "before"),
    ],
)
async def test_what_cannot_be_is_named(asked, path, query, field):
    status, document = await asked(path, **query)
    assert status == 422
    assert document["error"].startswith(f"{field}: ")


async def test_there_is_no_log_of_a_job_that_is_not_there(asked):
    for path in ("", "/row?line=1", "/hits?grep=a"):
        assert (await asked.http.get(f"/job/none/log{path}")).status_code == 404
