"""The manager owns the job table, the queue and the slots; each job's way through them is its supervisor's work."""

from fluster.manager.manager import JobManager
from fluster.manager.table import JobPage, JobTable

__all__ = ["JobManager", "JobPage", "JobTable"]
