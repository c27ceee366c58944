"""Which alerts the story makes fire, for which of its jobs, and why it leaves out the others."""

__all__ = ["NOT_PROVOKED", "ORPHANS_REMOVED", "PROVOKED", "WORKER_DOWN", "WORKER_RESTARTED"]

PROVOKED = {
    "FlusterJobFailed": {"failing", "late", "unbuildable-1"},
    "FlusterJobOutOfMemory": {"greedy"},
    "FlusterJobWorkerFailed": {"bereft"},
    "FlusterJobUnschedulable": {"outsized"},
    "FlusterJobProcessOutOfMemory": {"lost-child"},
    "FlusterJobLogLinesDropped": {"flood"},
    "FlusterJobMemoryNearLimit": {"near-memory"},
    "FlusterJobCpuThrottled": {"throttled"},
    "FlusterJobProcessesNearLimit": {"near-processes"},
    "FlusterJobDiskNearLimit": {"near-disk"},
    "FlusterJobNearTimeout": {"near-timeout"},
    "FlusterJobPendingTooLong": {"waiting-2"},
    "FlusterJobBuildingTooLong": {"slow-build"},
    "FlusterJobStalled": {"stalled"},
    "FlusterJobGpuIdle": {"idle-gpu"},
    "FlusterCollectorFailing": set(),
    "FlusterQueueSaturated": set(),
    "FlusterJobFailureRatioHigh": set(),
    "FlusterBuildsFailing": set(),
}
"""By name; the jobs by the names of jobs.py, none where it is about the worker. They fire while all jobs are there."""

WORKER_DOWN = "FlusterWorkerDown"
WORKER_RESTARTED = "FlusterWorkerRestarted"
ORPHANS_REMOVED = "FlusterOrphansRemoved"
NOT_PROVOKED = {
    "FlusterEngineDown": "the process runtime has no engine that could be away",
    "FlusterDiskFilling": "it would take a file system of this test's own, and filling it; promtool's tests show the rule",
    "FlusterDiskFull": "the same",
}
