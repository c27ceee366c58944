"""What rightly gives nothing in this story, and why. A query that stands here and answers nevertheless is a failure too."""

__all__ = ["COLUMNS", "NOT_RECORDED", "unanswered"]

NOT_RECORDED = {}
"""Recording rules by name."""

COLUMNS = {
    "fluster-workers: Each worker": ({"engine_version"}, "the process runtime has no engine"),
}
"""Columns of tables by `dashboard: panel`."""

_NETWORK = "a job of the process runtime shares the network of its machine: the account is not its own"
_PRESSURE = "pressure is told by cgroup v2 only, and this machine has v1"


def unanswered(cgroup_version):
    """Queries of dashboards by `dashboard: panel: ref`, with the reason."""
    pressure = {"fluster-job: Waiting for resources: A": _PRESSURE} if cgroup_version == "1" else {}
    return {"fluster-job: Network: A": _NETWORK, "fluster-job: Network: B": _NETWORK, **pressure}
