"""Jobs for the tests of the pages."""

from fluster.job import Figures, Job, JobRequest, JobState, Limits

GIB = 1024**3
S = 10**9
T0 = 1_763_900_000 * S


def job(state=JobState.RUNNING, *, figures=None, limits=None, timeout=None, request=None, **more):
    times = {"build_started_ns": T0 + S, "build_finished_ns": T0 + 3 * S, "run_started_ns": T0 + 3 * S}
    request = request or JobRequest(name="train", command=("true",), limits=limits or Limits(), timeout_seconds=timeout)
    values = {"figures": Figures(**(figures or {})), **times, **more}
    return Job(id="j1", request=request, worker_id="w", submitted_ns=T0, state=state, **values)
