"""What fluster.runtime.contract promises, held against every runtime."""

import os
import time

import anyio
import pytest

from fluster.cri import parse_line
from fluster.errors import StartError, UnschedulableError
from fluster.job import Limits, Source

from .conftest import WORKER, until

pytestmark = pytest.mark.anyio
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"


def log_of(bench, job_id="job"):
    path = bench.root / "logs" / job_id / "job.log"
    if not path.exists():
        return []
    return [parse_line(raw) for raw in path.read_bytes().split(b"\n")[:-1]]


def directories_of(job_id):
    return [
        os.path.join(root, name)
        for root, names, _ in os.walk("/sys/fs/cgroup")
        for name in names
        if name == job_id and root.endswith(WORKER)
    ]


def alive(marker):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if marker.encode() in file.read() and int(pid) != os.getpid():
                    found.append(pid)
        except OSError:
            continue
    return found


@pytest.mark.parametrize("code", [0, 3, 255])
async def test_the_exit_code_is_the_jobs(bench, code):
    result = await bench.run(f"exit {code}", script={"EXIT_CODE": str(code)})
    assert result.exit_code == code
    assert not result.oom_killed


async def test_a_signal_is_128_and_its_number(bench):
    assert (await bench.run("kill -9 $$", script={"EXIT_CODE": "137"})).exit_code == 137


@pytest.mark.parametrize(
    ("command", "says"),
    [(["/no/such/program"], "not found"), (["no-such-program"], "not found"), (["/etc"], "executable")],
)
async def test_what_cannot_be_started_is_a_sentence_and_leaves_nothing(bench, command, says):
    if bench.fake:
        says = "not found"
    with pytest.raises(StartError, match=says):
        await bench.run(command, script={"FAIL": "start"})
    assert directories_of("job") == []


async def test_both_streams_come_whole_and_in_order(bench):
    result = await bench.run(
        "for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; done",
        script={
            "STDOUT": "".join(f"out {i}\n" for i in range(1, 6)),
            "STDERR": "".join(f"err {i}\n" for i in range(1, 6)),
        },
    )
    lines = log_of(bench)
    for stream, word in (("stdout", b"out"), ("stderr", b"err")):
        mine = [line for line in lines if line.stream == stream]
        assert [line.data for line in mine] == [b"%s %d" % (word, i) for i in range(1, 6)]
        assert [line.timestamp_ns for line in mine] == sorted(line.timestamp_ns for line in mine)
        assert result.logs.lines[stream] == 5
        assert result.logs.bytes[stream] == 30


async def test_a_last_line_without_newline_is_kept(bench):
    result = await bench.run("printf 'a\\nlast'", script={"STDOUT": "a\nlast"})
    assert [line.data for line in log_of(bench)] == [b"a", b"last"]
    assert result.logs.bytes["stdout"] == 6


async def test_lines_have_the_time_at_which_they_were_written(bench):
    if bench.fake:
        return
    await bench.run(["python3", "-c", "import time\nprint('one')\ntime.sleep(2)\nprint('two')"])
    first, second = log_of(bench)
    assert (second.timestamp_ns - first.timestamp_ns) / 1e9 == pytest.approx(2.0, abs=0.02)
    assert abs(second.timestamp_ns - time.time_ns()) < 30e9


async def test_directory_environment_and_output_are_the_jobs_own(bench):
    if bench.fake:
        return
    await bench.run(
        'echo "$GREETING"; pwd; echo done > "$FLUSTER_OUTPUT_DIR/result"; env | grep -c WORKER_SECRET',
        env={"GREETING": "hello there $x"},
    )
    lines = [line.data.decode() for line in log_of(bench)]
    assert lines[0] == "hello there $x"
    assert lines[1] == (bench.runtime.work_path or str(bench.root / "work/job/source"))
    assert lines[2] == "0"
    assert (bench.root / "work/job/output/result").read_text() == "done\n"


async def test_nothing_of_a_job_outlives_it(bench):
    if bench.fake:
        return
    marker = f"97531.{os.getpid()}"
    result = await bench.run(f"setsid sh -c 'sleep {marker} & sleep {marker}' & sleep 0.3; echo over")
    assert result.exit_code == 0
    assert alive(marker) == []
    assert [line.data for line in log_of(bench) if line.stream == "stdout"] == [b"over"]


async def test_stop_asks_first(bench):
    async with bench.started(
        "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done",
        script={"SECONDS": "60", "STDOUT": "ready\n", "EXIT_CODE": "7"},
    ) as execution:
        await until(lambda: log_of(bench))
        await bench.runtime.stop(execution, 30)
        began = time.monotonic()
        result = await bench.runtime.wait(execution)
    assert result.exit_code == (143 if bench.fake else 7)
    assert time.monotonic() - began < 20
    if not bench.fake:
        assert [line.data for line in log_of(bench) if line.stream == "stdout"][-1] == b"bye"


async def test_stop_kills_what_does_not_listen_after_its_grace(bench):
    async with bench.started(
        "trap '' TERM; echo ready; while :; do sleep 0.05; done",
        script={"SECONDS": "60", "IGNORE_TERM": "1", "STDOUT": "ready\n"},
    ) as execution:
        await until(lambda: log_of(bench))
        began = time.monotonic()
        await bench.runtime.stop(execution, 0.5)
        result = await bench.runtime.wait(execution)
    assert result.exit_code == 137
    assert time.monotonic() - began >= 0.5


async def test_a_second_stop_can_shorten_the_grace(bench):
    async with bench.started(
        "trap '' TERM; echo ready; while :; do sleep 0.05; done",
        script={"SECONDS": "60", "IGNORE_TERM": "1", "STDOUT": "ready\n"},
    ) as execution:
        await until(lambda: log_of(bench))
        await bench.runtime.stop(execution, 600)
        await bench.runtime.stop(execution, 0)
        with anyio.fail_after(20):
            assert (await bench.runtime.wait(execution)).exit_code == 137


async def test_stop_after_the_end_is_no_error(bench):
    async with bench.started("exit 4", script={"EXIT_CODE": "4"}) as execution:
        await bench.runtime.wait(execution)
        await bench.runtime.stop(execution, 0)
        assert (await bench.runtime.wait(execution)).exit_code == 4


async def test_wait_may_be_cancelled_and_repeated(bench):
    async with bench.started("sleep 1; exit 5", script={"SECONDS": "1", "EXIT_CODE": "5"}) as execution:
        with anyio.move_on_after(0.1):
            await bench.runtime.wait(execution)
        first = await bench.runtime.wait(execution)
        second = await bench.runtime.wait(execution)
    assert first.exit_code == second.exit_code == 5
    assert first.finished_ns == second.finished_ns >= execution.started_ns


async def test_remove_leaves_nothing_and_may_be_repeated(bench):
    execution = await bench.runtime.start(bench.spec("true"))
    await bench.runtime.wait(execution)
    await bench.runtime.remove(execution)
    await bench.runtime.remove(execution)
    await bench.runtime.stop(execution, 0)
    assert directories_of("job") == []
    assert not execution.spec.workspace.control.exists()


async def test_memory_beyond_the_limit_is_out_of_memory(bench):
    if "without" in bench.name:
        return
    result = await bench.run(
        ["python3", "-c", "held = bytearray(200 << 20)\nheld[::4096] = b'x' * len(held[::4096])"],
        script={"OOM": "1"},
        limits=Limits(memory_bytes=64 * MIB),
    )
    assert result.oom_killed
    assert result.exit_code == 137
    assert result.figures.oom_kills >= 1
    assert result.figures.memory_peak_bytes == pytest.approx(64 * MIB, rel=0.02)


async def test_a_limit_of_processes_holds(bench):
    if bench.fake or "without" in bench.name:
        return
    program = "import subprocess\ntry:\n    [subprocess.Popen(['sleep', '2']) for _ in range(50)]\nexcept OSError: print('refused')"
    await bench.run(["python3", "-c", program], limits=Limits(max_processes=16))
    assert log_of(bench)[-1].data == b"refused"


async def test_cpu_seconds_are_the_kernels_account(bench):
    program = "import os\nwhile sum(os.times()[:2]) < 0.5: pass"
    result = await bench.run(["python3", "-c", program], script={"CPU_SECONDS": "0.5"})
    assert result.figures.cpu_seconds == pytest.approx(0.55, abs=0.25)
    assert result.figures.cpu_source is (Source.SAMPLED if "without" in bench.name else Source.KERNEL)


async def test_the_peak_of_50_ms_is_seen(bench):
    program = (
        "import time\nheld = bytearray(200 << 20)\nheld[::4096] = b'x' * len(held[::4096])\ntime.sleep(0.05)\ndel held"
    )
    result = await bench.run(["python3", "-c", program], script={"MEMORY_PEAK": "205m"})
    assert result.figures.memory_peak_bytes >= 200 * MIB


async def test_a_job_of_milliseconds_is_accounted_like_a_long_one(bench):
    result = await bench.run("true", script={"CPU_SECONDS": "0.001"})
    assert result.figures.cpu_seconds > 0
    assert result.figures.memory_peak_bytes > 0
    if "without" not in bench.name:
        assert result.figures.memory_peak_source is Source.KERNEL


async def test_live_figures_can_be_read(bench):
    async with bench.started(
        ["python3", "-c", "held = b'x' * (50 << 20)\nprint('ready')\nimport time; time.sleep(60)"],
        script={"SECONDS": "60", "MEMORY": "50m", "CPU_SECONDS": "0.1", "STDOUT": "ready\n"},
    ) as execution:
        await until(lambda: log_of(bench))
        reader = bench.runtime.reader(execution)
        point = reader.sample()
        assert point.memory_usage_bytes >= 50 * MIB
        assert point.cpu_ns > 0
        assert point.processes >= 1
        figures = reader.figures()
        assert figures.memory_usage_bytes == point.memory_usage_bytes
        assert figures.processes == point.processes
        assert abs(figures.sampled_at_ns - time.time_ns()) < 10e9


async def test_more_than_the_machine_has_is_unschedulable(bench):
    with pytest.raises(UnschedulableError, match="memory: it asks for"):
        bench.runtime.check(Limits(memory_bytes=2**60))
    with pytest.raises(UnschedulableError, match="cpus: it asks for"):
        bench.runtime.check(Limits(cpu_millicores=10**9))
    with pytest.raises(UnschedulableError, match="gpus: it asks for 1, this machine has 0; "):
        bench.runtime.check(Limits(gpus=1))


async def test_recover_finds_what_runs_what_ended_and_removes_the_rest(bench):
    jobs = {
        "running": ("sleep 2; echo late; exit 6", {"SECONDS": "2", "EXIT_CODE": "6"}),
        "ended": ("exit 9", {"EXIT_CODE": "9"}),
        "unknown": ("sleep 600", {"SECONDS": "600"}),
    }
    specs = {job_id: bench.spec(command, job_id=job_id, script=script) for job_id, (command, script) in jobs.items()}
    handles = {job_id: (await bench.runtime.start(spec)).handle for job_id, spec in specs.items()}
    await bench.runtime.close()
    bench.runtime = bench.make()
    await bench.runtime.open()
    del specs["unknown"]
    found = await bench.runtime.recover(specs, handles)
    assert found.keys() == {"running", "ended"}
    assert bench.runtime.orphans_removed == 1
    assert directories_of("unknown") == []
    codes = {job_id: (await bench.runtime.wait(execution)).exit_code for job_id, execution in found.items()}
    assert codes == {"running": 6, "ended": 9}
    for execution in found.values():
        await bench.runtime.remove(execution)
    if not bench.fake:
        assert log_of(bench, "running")[-1].data == b"late"


async def test_fifty_jobs_leave_no_descriptor_open(bench):
    count = 50 if bench.name != "docker" else 10
    before = 0
    for _ in range(2):  # the first round fills the pool of connections to an engine
        before = len(os.listdir("/proc/self/fd"))
        async with anyio.create_task_group() as tasks:
            for number in range(count):
                tasks.start_soon(_run_one, bench, f"job{number}")
    assert len(os.listdir("/proc/self/fd")) <= before + 2


async def _run_one(bench, job_id):
    assert (await bench.run("true", job_id=job_id)).exit_code == 0
