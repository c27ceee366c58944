"""Every metric that a worker exports: name, type, labels, unit, help. Code, docs, dashboards and rules use only what stands here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["CATALOGUE", "METRICS", "Metric"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One family. `name` is as it is exposed: counters end in _total."""

    name: str
    type: Literal["gauge", "counter", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    unit: str = ""

    @property
    def family(self) -> str:
        """The name without _total, as OpenMetrics has it for a counter's family."""
        return self.name.removesuffix("_total") if self.type == "counter" else self.name


_JOB: Final = ("job_id",)


def _job(name: str, text: str, *labels: str, unit: str = "", counter: bool = False) -> Metric:
    return Metric(f"fluster_job_{name}", "counter" if counter else "gauge", text, (*_JOB, *labels), unit)


METRICS: Final = (
    Metric("fluster_build_info", "gauge", "Version of Fluster and of the Python that it runs on; always 1.", ("version", "python")),
    Metric(
        "fluster_worker_info", "gauge", "This worker, its runtime and engine, and the cgroup version that jobs are accounted with; always 1.",
        ("worker_id", "runtime", "engine_version", "cgroup_version"),
    ),
    _job("info", "What does not change about a job; always 1. Join on job_id.", "name", "image", "bundle", "from_cache"),
    _job("state", "1 for the state that the job is in, 0 for every other.", "state"),
    _job("submitted_timestamp_seconds", "When the job was accepted.", unit="seconds"),
    _job("build_started_timestamp_seconds", "When building its environment or image began.", unit="seconds"),
    _job("started_timestamp_seconds", "When its first process was started.", unit="seconds"),
    _job("finished_timestamp_seconds", "When the last of it was gone.", unit="seconds"),
    _job("exit_code", "Exit code as a shell gives it, 128 + n for signal n."),
    _job("end_reason", "Why the job ended; always 1, and absent while it has not.", "reason"),
    _job("oom_killed", "1 where the job ended because the kernel killed it for memory, 0 where a finished job did not."),
    _job("timeout_seconds", "Run timeout of the job.", unit="seconds"),
    _job("memory_usage_bytes", "Memory charged to the job now, page cache included.", unit="bytes"),
    _job("memory_working_set_bytes", "Memory usage minus inactive file pages.", unit="bytes"),
    _job("memory_anon_bytes", "Anonymous memory now: what cannot be dropped without swap.", unit="bytes"),
    _job("memory_cache_bytes", "Page cache charged to the job now.", unit="bytes"),
    _job("memory_limit_bytes", "Memory limit of the job.", unit="bytes"),
    _job("memory_peak_bytes", "Highest memory usage, page cache included; the kernel's own high-water mark where source is kernel.", "source", unit="bytes"),
    _job("memory_working_set_peak_bytes", "Highest working set seen at ten samples a second.", "source", unit="bytes"),
    _job("memory_anon_peak_bytes", "Highest anonymous memory seen at ten samples a second.", "source", unit="bytes"),
    _job("memory_limit_hits_total", "Times that the job ran into its memory limit.", counter=True),
    _job("oom_kills_total", "Processes of the job that the kernel killed for memory.", counter=True),
    _job("cpu_seconds_total", "CPU time of all processes of the job.", "mode", unit="seconds", counter=True),
    _job("cpu_cores", "Cores used over the last sampling interval."),
    _job("cpu_peak_cores", "Most cores used over any sampling interval."),
    _job("cpu_limit_cores", "CPU limit of the job in cores."),
    _job("cpu_periods_total", "CPU quota periods in which the job wanted to run.", counter=True),
    _job("cpu_throttled_periods_total", "CPU quota periods in which the job was throttled.", counter=True),
    _job("cpu_throttled_seconds_total", "Time that the job's threads were throttled.", unit="seconds", counter=True),
    _job("pressure_seconds_total", "Time in which at least one task of the job waited for the resource (cgroup v2).", "resource", unit="seconds", counter=True),
    _job("processes", "Processes and threads now."),
    _job("processes_peak", "Most processes and threads at once."),
    _job("processes_limit", "Limit on processes and threads."),
    _job("disk_bytes", "Disk blocks of working and output directory at the last walk.", unit="bytes"),
    _job("disk_peak_bytes", "Most disk blocks of working and output directory at any walk.", unit="bytes"),
    _job("disk_limit_bytes", "Disk limit of the job.", unit="bytes"),
    _job("network_receive_bytes_total", "Bytes received in the job's own network namespace.", unit="bytes", counter=True),
    _job("network_transmit_bytes_total", "Bytes sent in the job's own network namespace.", unit="bytes", counter=True),
    _job("block_read_bytes_total", "Bytes read from block devices.", unit="bytes", counter=True),
    _job("block_written_bytes_total", "Bytes written to block devices.", unit="bytes", counter=True),
    _job("gpu_utilization_ratio", "Share of time in which the GPU was busy, from NVML.", "gpu"),
    _job("gpu_memory_used_bytes", "GPU memory in use, from NVML.", "gpu", unit="bytes"),
    _job("gpu_memory_peak_bytes", "Most GPU memory in use at any sample, from NVML.", "gpu", unit="bytes"),
    _job("log_lines_total", "Lines written to the job's log.", "source", counter=True),
    _job("log_bytes_total", "Bytes that the job wrote to its log, newlines included.", "source", unit="bytes", counter=True),
    _job("log_dropped_lines_total", "Lines of the job that are not in its log: the disk was full, or a limit on logs dropped the oldest.", "source", "reason", counter=True),
    _job("last_log_timestamp_seconds", "Time of the job's last log line.", unit="seconds"),
    _job("last_sample_timestamp_seconds", "When the job's figures were read last.", unit="seconds"),
    Metric("fluster_jobs", "gauge", "Remembered jobs by state.", ("state",)),
    Metric("fluster_jobs_submitted_total", "counter", "Jobs accepted since this worker started."),
    Metric("fluster_jobs_finished_total", "counter", "Jobs that ended since this worker started.", ("state", "reason")),
    Metric("fluster_job_queue_duration_seconds", "histogram", "From acceptance to the start of building.", (), "seconds"),
    Metric("fluster_job_build_duration_seconds", "histogram", "From the start of building to the built environment.", ("cache",), "seconds"),
    Metric("fluster_job_run_duration_seconds", "histogram", "From the first process to the end.", ("state",), "seconds"),
    Metric("fluster_finished_job_memory_peak_bytes", "histogram", "Memory peaks of finished jobs.", (), "bytes"),
    Metric("fluster_finished_job_memory_peak_ratio", "histogram", "Memory peaks of finished jobs as a share of their limit."),
    Metric("fluster_finished_job_cpu_seconds", "histogram", "CPU time of finished jobs.", (), "seconds"),
    Metric("fluster_finished_job_oom_kills_total", "counter", "Processes of finished jobs that the kernel killed for memory."),
    Metric("fluster_slots", "gauge", "Jobs that may run at once."),
    Metric("fluster_slots_used", "gauge", "Jobs that hold a slot."),
    Metric("fluster_queue_length", "gauge", "Jobs that wait for a slot."),
    Metric("fluster_queue_limit", "gauge", "Jobs that may wait."),
    Metric("fluster_builds_total", "counter", "Builds by how they ended.", ("result",)),
    Metric("fluster_image_cache_requests_total", "counter", "Look-ups of a built environment or image.", ("result",)),
    Metric("fluster_image_cache_evictions_total", "counter", "Built environments and images removed to make room."),
    Metric("fluster_bundle_cache_requests_total", "counter", "Look-ups of an extracted bundle.", ("result",)),
    Metric("fluster_bundle_cache_evictions_total", "counter", "Bundles removed to make room."),
    Metric("fluster_cache_bytes", "gauge", "Size of a cache at its last clearing.", ("cache",), "bytes"),
    Metric("fluster_engine_up", "gauge", "1 where the runtime's engine answered the last ping."),
    Metric("fluster_engine_requests_total", "counter", "What the runtime asked of its engine.", ("operation", "outcome")),
    Metric("fluster_engine_request_duration_seconds", "histogram", "How long the engine took.", ("operation",), "seconds"),
    Metric("fluster_collector_success", "gauge", "1 where the collector gave its metrics in this scrape.", ("collector",)),
    Metric("fluster_collector_duration_seconds", "gauge", "How long the collector took in this scrape.", ("collector",), "seconds"),
    Metric("fluster_stats_errors_total", "counter", "Readings of live figures that failed.", ("collector",)),
    Metric("fluster_http_requests_total", "counter", "HTTP requests answered, by route template.", ("route", "code")),
    Metric("fluster_http_request_duration_seconds", "histogram", "How long HTTP requests took, streams left out.", ("route",), "seconds"),
    Metric("fluster_rpc_requests_total", "counter", "RPCs answered, by method.", ("method", "code")),
    Metric("fluster_log_store_bytes", "gauge", "All log files together.", (), "bytes"),
    Metric("fluster_filesystem_size_bytes", "gauge", "Size of the file system below a directory of the worker.", ("path",), "bytes"),
    Metric("fluster_filesystem_free_bytes", "gauge", "Space there that the worker can use.", ("path",), "bytes"),
    Metric("fluster_jobs_recovered_total", "counter", "Jobs of an earlier worker found at start, by what became of them.", ("outcome",)),
    Metric("fluster_orphans_removed_total", "counter", "Leftovers that belonged to no job, found at start and removed."),
    Metric("process_cpu_seconds_total", "counter", "CPU time of the worker itself.", (), "seconds"),
    Metric("process_virtual_memory_bytes", "gauge", "Virtual memory of the worker itself.", (), "bytes"),
    Metric("process_resident_memory_bytes", "gauge", "Resident memory of the worker itself.", (), "bytes"),
    Metric("process_start_time_seconds", "gauge", "When the worker was started, in seconds since the epoch.", (), "seconds"),
    Metric("process_open_fds", "gauge", "File descriptors that the worker has open."),
    Metric("process_max_fds", "gauge", "File descriptors that it may have open."),
    Metric("python_info", "gauge", "The Python that the worker runs on; always 1.", ("implementation", "major", "minor", "patchlevel", "version")),
)  # fmt: skip

CATALOGUE: Final = {metric.name: metric for metric in METRICS}
"""By name."""
