"""What the shipped configurations of the agents say, read from the files themselves, in one form for the three."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import re2
import yaml

from tests.unit.grafana.alloy import read_alloy

FOLDER = Path(__file__).parents[3] / "grafana"


def go(expression):
    """As Go's regexp has it, over any bytes: these are RE2, which takes no invalid UTF-8 for a character."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(expression.encode(), options)


def ruby(expression):
    """As Fluent Bit's Onigmo has it: named groups are written another way."""
    return re.compile(expression.replace("(?<", "(?P<").encode(), re.DOTALL)


# The expression of the cri stage: clients/pkg/logentry/stages/extensions.go of Loki 3.6 (Promtail), which Alloy shows in its docs of
# loki.process, too; newer ones parse by hand and call it the same (internal/component/loki/process/stages/cri/parse.go of Alloy 1.18).
CRI_STAGE = go(r"^(?s)(?P<time>\S+?) (?P<stream>stdout|stderr) (?P<flag>\S+?) (?P<log>.*)$")


def expand(text, environment):
    """`${NAME:-default}`, innermost first, as `-config.expand-env` and Fluent Bit do."""
    pattern = re.compile(r"\$\{(\w+)(?::-([^${}]*))?\}")
    while pattern.search(text):
        text = pattern.sub(lambda match: environment.get(match[1]) or match[2] or "", text)
    return text


def groups(match):
    """The named groups; RE2 over bytes gives the names as bytes, too."""
    return {name.decode() if isinstance(name, bytes) else name: value for name, value in match.groupdict().items()}


@dataclass
class Agent:
    globs: dict[str, str]
    """By the kind of file, build or job."""
    line: object
    path: object
    source: dict[str, str]
    """By the kind of file: the source, or where it comes from as `$stream`."""
    labels: set[str]
    worker: str
    metadata: set[str]
    cut: int | None
    """Joined lines are cut here."""

    def names(self, path):
        """job_id and job_name of a path."""
        found = groups(self.path.search(os.fsencode(path)))
        return found["job_id"].decode(), found["job_name"].decode()


def alloy(environment):
    parts = read_alloy((FOLDER / "alloy.alloy").read_text(), environment)
    targets = parts["local.file_match", "jobs"].values["path_targets"]
    process = parts["loki.process", "cri"]
    match = process.one("stage.match")
    return Agent(
        globs={each["source"]: each["__path__"] for each in targets},
        line=CRI_STAGE,
        path=go(process.one("stage.regex").values["expression"]),
        source=_source(match.values["selector"], match.one("stage.labels").values["values"]),
        labels=set(process.one("stage.label_keep").values["values"]),
        worker=process.one("stage.static_labels").values["values"]["worker"],
        metadata=set(process.one("stage.structured_metadata").values["values"]),
        cut=process.one("stage.cri").values["max_partial_line_size"],
    )


def promtail(environment):
    (scrape,) = read_yaml("promtail.yaml", environment)["scrape_configs"]
    targets = [each["labels"] for each in scrape["static_configs"]]
    stages = {name: value for stage in scrape["pipeline_stages"] for name, value in stage.items()}
    return Agent(
        globs={each["source"]: each["__path__"] for each in targets},
        line=CRI_STAGE,
        path=go(stages["regex"]["expression"]),
        source=_source(stages["match"]["selector"], stages["match"]["stages"][0]["labels"]),
        labels=set(stages["labelallow"]),
        worker=stages["static_labels"]["worker"],
        metadata=set(stages["structured_metadata"]),
        cut=stages["cri"]["max_partial_line_size"],
    )


def fluent_bit(environment):
    sections = read_fluent_bit("fluent-bit.conf", environment)
    parsers = {each["name"]: each for _, each in read_fluent_bit("fluent-bit-parsers.conf", environment)}
    inputs = {each["tag"]: each for kind, each in sections if kind == "INPUT"}
    filters = {each["match"]: each for kind, each in sections if kind == "FILTER"}
    (output,) = (each for kind, each in sections if kind == "OUTPUT")
    (joined,) = {each["multiline.parser"] for each in inputs.values()}
    labels = pairs(output["labels"])
    assert labels["source"] == "$source"
    assert labels["stream"] == "$stream"
    return Agent(
        globs={tag: each["path"] for tag, each in inputs.items()},
        line=ruby(parsers[parsers[joined]["parser"]]["regex"]),
        path=ruby(parsers[filters["*"]["parser"]]["regex"]),
        source={"build": filters["build"]["set"].split()[1], "job": "$" + filters["job"]["copy"].split()[0]},
        labels=set(labels),
        worker=labels["worker"],
        metadata=set(pairs(output["structured_metadata"])),
        cut=None,
    )


def _source(selector, labels):
    """The label `source` of the targets stands but where the stage overrides it."""
    assert selector == '{source="job"}'
    return {"build": "build", "job": "$" + labels["source"]}


def pairs(text):
    return dict(each.strip().split("=", 1) for each in text.split(","))


def read_yaml(name, environment):
    return yaml.safe_load(expand((FOLDER / name).read_text(), environment))


def read_fluent_bit(name, environment):
    """Sections in order; keys are of no case."""
    sections = []
    for line in expand((FOLDER / name).read_text(), environment).splitlines():
        if line.startswith("["):
            sections.append((line.strip("[]"), {}))
        elif line.strip() and not line.lstrip().startswith("#"):
            key, value = line.split(None, 1)
            assert key.lower() not in sections[-1][1], f"{key} twice"
            sections[-1][1][key.lower()] = value.strip()
    return sections


AGENTS = {"alloy": alloy, "promtail": promtail, "fluent-bit": fluent_bit}
