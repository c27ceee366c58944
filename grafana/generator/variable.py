"""The choices at the top of a dashboard. What is chosen travels with every link."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders.dashboard import CustomVariable, QueryVariable, TextBoxVariable
from grafana_foundation_sdk.models.dashboard import VariableModel, VariableOption, VariableRefresh, VariableSort

from fluster.job import JobState
from grafana.generator.query import prom
from grafana.generator.source import PROMETHEUS
from prometheus.generator.recording import promql

__all__ = ["JOB", "JOBS", "NAME", "SEARCH", "SOURCE", "STATE", "WORKER"]

_ALL: Final = VariableOption(selected=True, text="All", value="$__all")


def _query(name: str, label: str, description: str, query: str) -> QueryVariable:
    return (
        QueryVariable(name)
        .label(label)
        .description(description)
        .datasource(PROMETHEUS)
        .query({"query": query, "refId": f"variable-{name}"})
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    )


def _several(variable: QueryVariable) -> QueryVariable:
    return variable.multi(True).include_all(True).all_value(".+").current(_ALL)


def _worker() -> VariableModel:
    # Over the whole range: a worker that is down now is just the one that is looked for.
    query = promql("count by (worker) (last_over_time(fluster_build_info[$__range]))")
    variable = _several(_query("worker", "Worker", "The workers to look at, by their names.", f"query_result({query})"))
    return variable.regex('/worker="(?<value>[^"]+)"/').sort(VariableSort.ALPHABETICAL_ASC).build()


def _job_query() -> str:
    # The newest job first. Its name is shown, and its id, for names come again.
    query = prom(
        """sort_desc(label_join(
            max by (worker, instance, job_id) (last_over_time(fluster_job_submitted_timestamp_seconds{@worker}[$__range]))
            * on (worker, instance, job_id) group_left (name)
            max by (worker, instance, job_id, name) (last_over_time(fluster_job_info{@worker}[$__range])),
            "title", "  ", "name", "job_id"))"""
    )
    return f"query_result({query})"


_JOB_REGEX: Final = '/job_id="(?<value>[^"]+)".*title="(?<text>.+?)"[,}]/'


def _job() -> VariableModel:
    variable = _query("job_id", "Job", "One job: its name and its id, the newest first.", _job_query())
    return variable.regex(_JOB_REGEX).sort(VariableSort.DISABLED).build()


def _jobs() -> VariableModel:
    variable = _query("job_id", "Job", "Some jobs, or all: their names and ids, the newest first.", _job_query())
    return _several(variable).regex(_JOB_REGEX).sort(VariableSort.DISABLED).build()


def _name() -> VariableModel:
    query = prom("count by (name) (last_over_time(fluster_job_info{@worker}[$__range]))")
    variable = _several(_query("name", "Name", "Jobs of these names.", f"query_result({query})"))
    return variable.regex('/name="(?<value>[^"]+)"/').sort(VariableSort.ALPHABETICAL_ASC).build()


def _custom(name: str, label: str, description: str, values: list[str]) -> VariableModel:
    variable = CustomVariable(name).label(label).description(description).values(",".join(values))
    options = [_ALL, *(VariableOption(selected=False, text=value, value=value) for value in values)]
    return variable.multi(True).include_all(True).all_value(".+").current(_ALL).options(options).build()


WORKER: Final = _worker()
JOB: Final = _job()
JOBS: Final = _jobs()
NAME: Final = _name()
STATE: Final = _custom("state", "State", "Jobs in these states.", [state.label for state in JobState if state])
SOURCE: Final = _custom(
    "source", "Source", "Lines of the build, or of the job's own output.", ["build", "stdout", "stderr"]
)
SEARCH: Final = (
    TextBoxVariable("search")
    .label("Search")
    .description("A regular expression, without backticks; (?i) ignores case.")
    .default_value("")
    .build()
)
