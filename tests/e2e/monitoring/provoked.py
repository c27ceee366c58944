"""Which alerts the story makes fire, for which of its jobs, and why it leaves out the others."""

__all__ = ["NOT_PROVOKED", "PROVOKED", "WORKER_DOWN", "WORKER_RESTARTED"]

PROVOKED = {
    "FlusterJobFailed": {"failing", "late"},
    "FlusterJobOutOfMemory": {"greedy"},
    "FlusterJobMemoryNearLimit": {"near-memory"},
}
"""By name; the jobs by the names of jobs.py, none where it is about the worker."""

WORKER_DOWN = "FlusterWorkerDown"
WORKER_RESTARTED = "FlusterWorkerRestarted"
NOT_PROVOKED = {}
