"""M1: what one sample of one container costs, all processes that pay for it counted."""

import time
from concurrent.futures import ThreadPoolExecutor

import anyio
import docker

from fluster.runtime import ExecutionSpec, Workspace
from fluster.runtime.docker import DockerRuntime
from tests.benchmarks.cpu import cpu_seconds
from tests.benchmarks.result import Goal, Note, Result

WORKER = "bench-sample"
MICRO = 1e6
BUSY = """
import mmap, signal
signals = {signal.SIGUSR1}
signal.pthread_sigmask(signal.SIG_BLOCK, signals)
print("ready", flush=True)
turn = 0
while True:
    if signal.sigtimedwait(signals, 0) or not turn:
        signal.sigwait(signals)
    turn += 1
    mmap.mmap(-1, (turn % 16 + 1) * 65536, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE).close()
"""
"""Idle at first; each signal changes that. Busy, its memory is another one at nearly every look."""


def measure(bench):
    yield from anyio.run(_measure, bench)


async def _measure(bench):
    runtime = DockerRuntime(WORKER, base_url=bench.engine.url)
    await runtime.open()
    idle = [await runtime.start(_spec(bench, number, "sleep", "100000")) for number in range(bench.pick(10, 2))]
    busy = await runtime.start(_spec(bench, "busy", "python3", "-c", BUSY))
    readers = runtime.reader(idle[0]), runtime.reader(busy)
    executions = [*idle, busy]
    try:
        return await anyio.to_thread.run_sync(_compare, bench, *readers, [each.handle for each in executions])
    finally:
        for execution in executions:
            await runtime.stop(execution, 0)
            await runtime.wait(execution)
            await runtime.remove(execution)
        await runtime.close()


def _spec(bench, name, *command):
    folder = bench.folder()
    workspace = Workspace(root=folder / "work")
    workspace.output.mkdir(parents=True)
    return ExecutionSpec(
        job_id=f"sample-{name}", worker_id=WORKER, command=command, env={}, workspace=workspace,
        log_path=folder / "job.log", image=bench.engine.image,
    )  # fmt: skip


def _compare(bench, reader, busy_reader, containers):
    *containers, busy = containers
    client = docker.APIClient(bench.engine.url, version="auto", num_pools=100)
    pids = bench.engine.pids()
    while b"ready" not in client.logs(busy):
        time.sleep(0.05)
    many, few = bench.pick(20_000, 200), bench.pick(4, 1)

    def paid(work, count):
        """CPU microseconds for each of `count` samples: (this process, the daemons), and the wall time of one in ms."""
        daemons, own, wall = cpu_seconds(pids), time.process_time(), time.perf_counter()
        work()
        wall, own, daemons = time.perf_counter() - wall, time.process_time() - own, cpu_seconds(pids) - daemons
        return own / count * MICRO, daemons / count * MICRO, wall / count * 1000

    def sample(which=reader):
        for _ in range(many):
            which.sample()

    def changing():
        """Its container runs only now: the others are measured on a machine that is not busy with it."""
        bench.engine.docker("kill", "--signal", "USR1", busy)
        found = paid(lambda: sample(busy_reader), many)
        bench.engine.docker("kill", "--signal", "USR1", busy)
        return found

    def parsed():
        for _ in range(many // 4):
            reader.sample()
            reader.figures()

    def one_by_one(**options):
        for _ in range(few):
            client.stats(containers[0], stream=False, **options)

    def in_threads():
        with ThreadPoolExecutor(len(containers) * 2) as threads:
            jobs = [threads.submit(client.stats, each, stream=False, one_shot=True) for each in containers * 2 * few]
            for job in jobs:
                job.result()

    found = bench.interleave(
        {
            "sample": lambda: paid(sample, many),
            "changing": changing,
            "parsed": lambda: paid(parsed, many // 4),
            "threads": lambda: paid(in_threads, len(containers) * 2 * few),
            "one_shot": lambda: paid(lambda: one_by_one(one_shot=True), few),
            "default": lambda: paid(one_by_one, few),
        }
    )
    total = {name: [own + daemons for own, daemons, _ in rounds] for name, rounds in found.items()}
    own = [each[0] for each in found["sample"]]
    return [
        Result("M1", "one sample, CPU of all that pay", "µs", total["sample"], "docker-py one_shot in threads", total["threads"], Goal("times", 120)),
        Result("M1", "one sample, CPU of all that pay", "µs", total["sample"], "docker-py one_shot", total["one_shot"]),
        Result("M1", "one sample, CPU of all that pay", "µs", total["sample"], "docker-py stats(stream=False)", total["default"], Goal("times", 300)),
        Result("M1", "one sample, the worker's own CPU", "µs", own, goal=Goal("most", 25)),
        Result("M1", "the same, of a container whose memory changes", "µs", [each[0] for each in found["changing"]], goal=Goal("most", 25)),
        Result("M1", "the same, of a container whose memory changes", "µs", [each[0] for each in found["changing"]], "docker-py one_shot in threads", total["threads"], Goal("times", 120)),
        Result("M1", "one sample, the daemons' CPU", "µs", [each[1] for each in found["sample"]], goal=Goal("most", 1)),
        Result("M1", "a sample with every figure parsed", "µs", total["parsed"], "docker-py one_shot in threads", total["threads"], Goal("times", 120)),
        Result("M1", "wall time of one sample", "ms", [each[2] for each in found["sample"]], "docker-py one_shot in threads, each", [each[2] for each in found["threads"]]),
        Result("M1", "wall time of one sample", "ms", [each[2] for each in found["sample"]], "docker-py stats(stream=False)", [each[2] for each in found["default"]]),
        Note("M1: docker-py is paid for by " + _shares(found, "threads", "client") + " (in threads) and "
             + _shares(found, "default", "client") + " (stats(stream=False)); daemons are dockerd, containerd and the shims."),
    ]  # fmt: skip


def _shares(found, name, word):
    own, daemons, _ = sorted(found[name])[len(found[name]) // 2]
    return f"{own / 1000:.2f} ms {word} + {daemons / 1000:.2f} ms daemons"
