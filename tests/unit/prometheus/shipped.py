"""What is shipped in prometheus/, read as files: rules, their promtool tests, runbooks."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
PROMETHEUS = ROOT / "prometheus"
RULES = [
    rule
    for file in sorted((PROMETHEUS / "rules").glob("*.yml"))
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RECORDED = {rule["record"]: rule for rule in RULES if "record" in rule}
CASES = [
    case for file in sorted((PROMETHEUS / "tests").glob("*.yml")) for case in yaml.safe_load(file.read_text())["tests"]
]
RUNBOOKS = {file.stem: file.read_text() for file in (PROMETHEUS / "runbooks").glob("Fluster*.md")}


def blocks(text, language):
    """The lines of all fenced blocks of that language."""
    return [line for block in re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


def commands(text):
    """Lines of shell, and what stands between backticks in a sentence and begins like a command."""
    inline = re.findall(r"(?<!`)`((?:fluster|curl|docker|du|df|promtool) [^`]+)`", text)
    return [*blocks(text, "sh"), *inline]
