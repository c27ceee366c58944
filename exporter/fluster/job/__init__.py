"""The job: its states, request, limits, figures and ids. Knows nothing of engines, stores or doors."""

from fluster.job.figures import Figures, GpuFigures, Sample, Source, highest
from fluster.job.ids import check_job_id, new_job_id
from fluster.job.job import Build, Job, LogCounts
from fluster.job.request import EnvironmentRequest, JobRequest, Limits
from fluster.job.states import ACTIVE, TERMINAL, TRANSITIONS, EndReason, JobState

__all__ = [
    "ACTIVE",
    "TERMINAL",
    "TRANSITIONS",
    "Build",
    "EndReason",
    "EnvironmentRequest",
    "Figures",
    "GpuFigures",
    "Job",
    "JobRequest",
    "JobState",
    "Limits",
    "LogCounts",
    "Sample",
    "Source",
    "check_job_id",
    "highest",
    "new_job_id",
]
