"""What a runbook tells somebody to type works: commands and options exist, queries are over the catalogue."""

import re
import shlex

import pytest
from typer.main import get_command

from fluster.cli.main import build
from fluster.config import Settings
from prometheus.generator.recording import promql
from tests.unit.prometheus.shipped import PROMETHEUS, RUNBOOKS, blocks, commands

COMMANDS = get_command(build([])).commands
TYPED = [(name, line) for name, text in sorted(RUNBOOKS.items()) for line in commands(text)]
QUERIES = [
    (name, query)
    for name, text in sorted(RUNBOOKS.items())
    for query in blocks(text, "promql")
    if query and not query.startswith("#")
]


def words(line):
    """The words of the first command of a pipeline."""
    return shlex.split(line.split(" | ")[0].split(";")[0], comments=True)


@pytest.mark.parametrize(("runbook", "line"), [each for each in TYPED if each[1].startswith("fluster ")])
def test_a_command_of_fluster_exists_with_all_its_options(runbook, line):
    given = words(line)
    if given[1].startswith("-"):
        return
    command = COMMANDS[given[1]]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    known |= {f"--{name.replace('_', '-')}" for name in Settings.model_fields} if given[1] == "worker" else set()
    ours = given[: given.index("--")] if "--" in given else given
    assert {word.partition("=")[0] for word in ours if re.match(r"--?[a-z]", word)} <= known, line


@pytest.mark.parametrize(("runbook", "query"), QUERIES)
def test_a_query_asks_for_what_is_exported_or_recorded(runbook, query):
    assert promql(query)


def test_variables_of_commands_are_those_that_the_index_sets():
    index = (PROMETHEUS / "runbooks/README.md").read_text()
    known = set(re.findall(r"\b([A-Z_]+)=", index)) | {"FLUSTER_TOKEN"}
    for name, line in TYPED:
        assert set(re.findall(r"\$([A-Z_]+)", line)) <= known, f"{name}: {line}"


def test_settings_that_a_runbook_speaks_of_exist():
    options = {option for command in COMMANDS.values() for parameter in command.params for option in parameter.opts}
    options |= {f"--{name.replace('_', '-')}" for name in Settings.model_fields}
    for name, text in RUNBOOKS.items():
        prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        mentioned = set(re.findall(r"`(--[a-z][a-z-]+)", prose))
        assert mentioned <= options, f"{name}: {mentioned - options}"
