"""Jobs with every figure known, as a busy worker has them; equal numbers give equal jobs, in every process."""

import random
import time

import anyio

from fluster.job import Build, EndReason, Figures, Job, JobRequest, JobState, Limits, LogCounts, Source
from fluster.store import Store

GIB = 1024**3


def make_jobs(count, *, live=False, now_ns=None):
    chance = random.Random(count)
    now_ns = now_ns or time.time_ns()
    return [_job(number, chance, now_ns, live=live) for number in range(count)]


def remember(state_dir, jobs):
    """Into the store of a worker that will be started there."""

    async def write():
        store = Store(state_dir / "jobs.db")
        store.open()
        async with anyio.create_task_group() as tasks:
            for job in jobs:
                tasks.start_soon(store.insert, job)
        store.close()

    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    anyio.run(write)


def _job(number, chance, now_ns, *, live):
    began = now_ns - chance.randrange(60, 600) * 10**9
    cpu = chance.randrange(10**8, 5 * 10**12)
    state = JobState.RUNNING if live else chance.choice((JobState.SUCCEEDED, JobState.FAILED))
    return Job(
        id=f"20261124-{number // 1000:06d}-{number % 1000:03d}-{chance.randrange(16**4):04x}",
        request=JobRequest(
            name=f"train-{number % 50}", command=("python", "train.py", "--fold", str(number)), timeout_seconds=3600.0,
            limits=Limits(cpu_millicores=1500, memory_bytes=4 * GIB, max_processes=64, disk_bytes=10 * GIB),
        ),
        worker_id="bench", sequence=number + 1, state=state, submitted_ns=began - 10**9, build_started_ns=began - 9 * 10**8,
        build_finished_ns=began - 10**8, run_started_ns=began,
        build=Build(image_tag=f"fluster/{chance.randrange(16**12):012x}", from_cache=True, bundle_sha256=f"{chance.randrange(16**12):064x}"),
        figures=_figures(chance, cpu, now_ns, live=live),
        logs=LogCounts(
            lines={"build": 12, "stdout": chance.randrange(10**6), "stderr": chance.randrange(10**4)},
            bytes={"build": 700, "stdout": chance.randrange(10**8), "stderr": chance.randrange(10**6)},
            last_timestamp_ns=now_ns - chance.randrange(10**9),
        ),
        **({} if live else _end(state, now_ns)),
    )  # fmt: skip


def _end(state, now_ns):
    failed = state is JobState.FAILED
    return {
        "finished_ns": now_ns, "exit_code": int(failed), "error": "it ended with exit code 1" if failed else "",
        "end_reason": EndReason.EXIT_CODE if failed else EndReason.COMPLETED,
    }  # fmt: skip


def _figures(chance, cpu, now_ns, *, live):
    memory = chance.randrange(10**7, 4 * GIB)
    now = {
        "memory_usage_bytes": memory, "memory_working_set_bytes": memory // 2, "memory_anon_bytes": memory // 3,
        "memory_cache_bytes": memory // 5, "cpu_cores": round(chance.uniform(0, 1.5), 6), "processes": chance.randrange(1, 64),
    }  # fmt: skip
    return Figures(
        sampled_at_ns=now_ns, **(now if live else {}),
        memory_peak_bytes=memory, memory_peak_source=Source.KERNEL, memory_working_set_peak_bytes=memory - 4096,
        memory_anon_peak_bytes=memory // 2, memory_limit_hits=chance.randrange(10), oom_kills=0,
        cpu_user_seconds=cpu * 4 // 5 / 1e9, cpu_system_seconds=cpu // 5 / 1e9, cpu_source=Source.KERNEL, cpu_peak_cores=1.5,
        cpu_periods=chance.randrange(10**5), cpu_throttled_periods=chance.randrange(10**3), cpu_throttled_seconds=chance.randrange(5 * 10**10) / 1e9,
        processes_peak=chance.randrange(1, 64), processes_peak_source=Source.KERNEL, block_read_bytes=chance.randrange(GIB),
        block_written_bytes=chance.randrange(GIB), disk_bytes=chance.randrange(GIB), disk_peak_bytes=GIB,
    )  # fmt: skip
