"""Every LogQL query of the dashboards, the agents' configurations and the documentation is read by the grammar of Grafana's own editor."""

import json
import re
import shutil
import subprocess
from itertools import islice
from pathlib import Path

import pytest

from tests.e2e.monitoring import interpolation
from tests.e2e.monitoring.dashboards import DASHBOARDS
from tests.e2e.monitoring.interpolation import interpolated
from tests.e2e.monitoring.variables import chosen
from tests.npm import installed

pytestmark = pytest.mark.prometheus

ROOT = Path(__file__).parents[3]
GRAMMAR = Path(__file__).with_name("logql")
LABELS = {"worker", "source", "stream"}
"""A job is no label of a stream: it is asked for behind a pipe."""
OPTIONS = [
    f'{{worker="{one}", job_id="{one}.v1", name="{one}", title="{one} {one}.v1"}} 1 1000'
    for one in ("proof.1", "second")
]
"""What Prometheus could say of any variable."""
PREFERRED = {"worker": ["proof.1"], "job_id": ["calm.v1"]}


@pytest.fixture(scope="module")
def read():
    """read(queries) gives for each its errors, with their places, and the labels that choose its streams."""
    folder = installed(GRAMMAR)
    shutil.copy(GRAMMAR / "parse.mjs", folder)

    def read(queries):
        done = subprocess.run(
            ["node", "parse.mjs"], cwd=folder, input=json.dumps(queries), capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)

    return read


def of_dashboards():
    """(where, query) of each query of logs, for the first ways to set the variables."""
    for dashboard in DASHBOARDS:
        for variables in islice(chosen(dashboard, lambda _: OPTIONS, PREFERRED), 8):
            for query in [
                *dashboard.queries("loki"),
                *(each for each in dashboard.annotations if each.source == "loki"),
            ]:
                yield (
                    query.id,
                    interpolated(
                        query.text, variables, escape=interpolation.loki, builtin=interpolation.builtins(0, 3600)
                    ),
                )


def of_documents():
    """(where, query) of each line of code that begins like a query of logs."""
    for path in sorted([*ROOT.glob("docs/**/*.md"), *ROOT.glob("prometheus/**/*.md"), *ROOT.glob("grafana/**/*.md")]):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.match(r"(?: {4,}|\s*`)(\w+ .*\(|\w+\(.*)?\{(worker|source|stream)\s*[=!]", line):
                yield f"{path.relative_to(ROOT)}:{number}", line.strip().strip("`")


def of_agents():
    """(where, query) of each selector in the agents' configurations."""
    for path in sorted(
        [*ROOT.glob("grafana/**/*.alloy"), *ROOT.glob("grafana/**/*.yaml"), *ROOT.glob("grafana/**/*.yml")]
    ):
        for found in re.finditer(r"""selector\s*[:=]\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)')""", path.read_text()):
            yield str(path.relative_to(ROOT)), found[2] or json.loads(f'"{found[1]}"')


@pytest.mark.parametrize(
    ("found", "at_least"), [(of_dashboards, 3), (of_documents, 6), (of_agents, 2)], ids=lambda each: getattr(each, "__name__", "")
)  # fmt: skip
def test_every_query_of_logs_is_logql_and_chooses_streams_by_few_labels(read, found, at_least):
    found = list(found())
    assert len(found) >= at_least
    wrong = []
    for (where, query), result in zip(found, read([query for _, query in found]), strict=True):
        wrong += [f"{where}: at {each['from']}, {each['text']!r}: {query}" for each in result["errors"]]
        if not result["labels"] or not set(result["labels"]) <= LABELS:
            wrong.append(f"{where}: streams are chosen by {result['labels']}: {query}")
        if "$" in re.sub(r'"(?:[^"\\]|\\.)*"|`[^`]*`', "", query):
            wrong.append(f"{where}: a variable of nobody: {query}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ('{worker="w1" | job_id="x"', 13),
        ('{worker="w1"} | job_id=', 23),
        ('sum by (job_id) (count_over_time({worker="w1"} [5m])', 52),
        ('{worker="w1"} |> ', 17),
        ("fluster_jobs", 0),
    ],
)
def test_a_query_that_is_no_logql_is_refused_and_its_place_is_told(read, query, place):
    (result,) = read([query])
    assert place in [each["from"] for each in result["errors"]], result


def test_a_job_among_the_labels_of_streams_is_seen(read):
    inside, behind = read(['{worker="w1", job_id="x"} |= "a"', '{worker="w1"} | job_id="x"'])
    assert (inside["labels"], behind["labels"]) == (["worker", "job_id"], ["worker"])
