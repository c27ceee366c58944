"""Addresses of dashboards, job pages and back. A cell of a table's row is named by its column's title."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.models.dashboard import DashboardLink, DashboardLinkType

__all__ = ["ALL_DASHBOARDS", "TAG", "cell", "job_page", "to_job", "worker_page"]

TAG: Final = "fluster"

ALL_DASHBOARDS: Final = DashboardLink(
    title="Fluster", type_val=DashboardLinkType.DASHBOARDS, icon="external link", tooltip="The other dashboards, for what is chosen here", tags=[TAG],
    as_dropdown=False, target_blank=False, include_vars=True, keep_time=True, url="",
)  # fmt: skip


def cell(column: str) -> str:
    """What stands in this column of the same row. Ids of jobs and workers, and addresses, need no escaping."""
    return '${__data.fields["' + column + '"]}'


def to_job(worker: str, job: str) -> tuple[str, str]:
    """From a table whose columns have these titles to the dashboard of the row's job."""
    return (
        "Everything about this job",
        f"/d/fluster-job?var-worker={cell(worker)}&var-job_id={cell(job)}&${{__url_time_range}}",
    )


def job_page(address: str, job: str) -> tuple[str, str]:
    """To the worker's own page of the row's job."""
    return "The job's page on its worker", f"http://{cell(address)}/job/{cell(job)}"


def worker_page(address: str) -> tuple[str, str]:
    return "The worker's own page", f"http://{cell(address)}/"
