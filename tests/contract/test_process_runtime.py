"""What only the process runtime can show: its supervisor process and its worker may be killed at any time."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import anyio
import pytest

from fluster.cri import parse_line
from fluster.errors import InfrastructureError, UnschedulableError
from fluster.gpu import Gpu
from fluster.job import Limits
from fluster.runtime.process import ProcessRuntime

from .conftest import WORKER, Bench

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[True, False], ids=["cgroups", "no cgroups"])
async def bench(request, tmp_path):
    bench = Bench("process", lambda: ProcessRuntime(WORKER, tmp_path / "work", use_cgroups=request.param), tmp_path)
    await bench.runtime.open()
    return bench


async def test_a_killed_supervisor_process_is_the_infrastructures_fault_and_takes_its_job_along(bench):
    execution = await bench.runtime.start(bench.spec(["sleep", "600"]))
    os.kill(int(execution.handle.split(":")[0]), signal.SIGKILL)
    with anyio.fail_after(20), pytest.raises(InfrastructureError, match="supervisor process was killed"):
        await bench.runtime.wait(execution)
    await bench.runtime.remove(execution)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                assert b"FLUSTER_OUTPUT_DIR=" + str(bench.root).encode() not in file.read()
        except OSError:
            continue


async def test_a_job_goes_on_while_its_worker_is_killed(bench, tmp_path):
    """A worker of its own process starts the job and is killed; the next one finds exit code and whole log."""
    script = tmp_path / "worker.py"
    script.write_text(
        "import anyio, os, sys\n"
        "from pathlib import Path\n"
        "from fluster.runtime.process import ProcessRuntime\n"
        "from fluster.runtime import ExecutionSpec, Workspace\n"
        "async def main():\n"
        "    root = Path(sys.argv[1])\n"
        f"    runtime = ProcessRuntime({WORKER!r}, root / 'work', use_cgroups={bench.runtime.info.cgroup_version is not None})\n"
        "    await runtime.open()\n"
        "    spec = ExecutionSpec(job_id='job', worker_id='w', command=('sh', '-c', 'for i in 1 2 3 4 5 6 7 8 9 10; do echo $i; sleep 0.1; done; exit 6'),\n"
        "        env={'FLUSTER_JOB_ID': 'job'}, workspace=Workspace(root=root / 'work' / 'job'), log_path=root / 'logs/job/job.log')\n"
        "    execution = await runtime.start(spec)\n"
        "    print(execution.handle, flush=True)\n"
        "    await anyio.sleep_forever()\n"
        "anyio.run(main)\n"
    )
    spec = bench.spec("true")
    worker = subprocess.Popen([sys.executable, str(script), str(bench.root)], stdout=subprocess.PIPE, text=True)
    handle = worker.stdout.readline().strip()
    worker.kill()
    worker.wait()
    worker.stdout.close()
    found = await bench.runtime.recover({"job": spec}, {"job": handle})
    result = await bench.runtime.wait(found["job"])
    assert result.exit_code == 6
    lines = [parse_line(raw).data for raw in spec.log_path.read_bytes().split(b"\n")[:-1]]
    assert lines == [str(i).encode() for i in range(1, 11)]
    await bench.runtime.remove(found["job"])


async def test_secrets_of_a_job_are_its_owners_alone(bench):
    async with bench.started(["sleep", "5"], env={"TOKEN": "hunter2"}) as execution:
        control = execution.spec.workspace.control
        assert (control.stat().st_mode & 0o777) == 0o700
        assert ((control / "spec.json").stat().st_mode & 0o777) == 0o600
        assert json.loads((control / "spec.json").read_text())["env"]["TOKEN"] == "hunter2"


async def test_a_flood_of_output_is_taken_whole(bench):
    result = await bench.run(["python3", "-c", "import sys\nfor i in range(200000): sys.stdout.write(f'{i}\\n')"])
    lines = [parse_line(raw) for raw in (bench.root / "logs/job/job.log").read_bytes().split(b"\n")[:-1]]
    assert [int(line.data) for line in lines] == list(range(200000))
    assert result.logs.lines["stdout"] == 200000


async def test_a_long_line_and_any_bytes_come_back(bench):
    program = "import os\nos.write(1, b'x' * 3000000 + b'\\n\\xff\\x00\\r\\x1b[31m\\n')"
    await bench.run(["python3", "-c", program])
    held, lines = b"", []
    for raw in (bench.root / "logs/job/job.log").read_bytes().split(b"\n")[:-1]:
        line = parse_line(raw)
        held += line.data
        if not line.partial:
            lines.append(held)
            held = b""
    assert lines == [b"x" * 3000000, b"\xff\x00\r\x1b[31m"]


async def test_the_environment_of_the_worker_stays_with_the_worker(bench, monkeypatch):
    monkeypatch.setenv("WORKER_SECRET", "hunter2")
    await bench.run("env")
    assert b"hunter2" not in (bench.root / "logs/job/job.log").read_bytes()


async def test_the_start_costs_little(bench):
    """No timed assertion but a gross one: ten starts, reported."""
    began = time.perf_counter()
    for number in range(10):
        async with bench.started(["true"], job_id=f"j{number}"):
            pass
    each = (time.perf_counter() - began) / 10
    print(f"start to removed: {each * 1000:.1f} ms a job")
    assert each < 5


@pytest.mark.parametrize(("gpus", "seen"), [(("GPU-b",), "GPU-b"), ((), "")])
async def test_a_process_sees_its_gpus_and_no_other_whatever_the_request_says(bench, gpus, seen):
    bench.runtime.gpus = (Gpu(uuid="GPU-a"), Gpu(uuid="GPU-b"))
    spec = bench.spec(
        'test "${CUDA_VISIBLE_DEVICES-unset}" = "$WANTED"', env={"CUDA_VISIBLE_DEVICES": "0", "WANTED": seen}
    )
    execution = await bench.runtime.start(dataclasses.replace(spec, gpus=gpus))
    assert (await bench.runtime.wait(execution)).exit_code == 0
    await bench.runtime.remove(execution)


async def test_on_a_machine_without_gpus_a_variable_of_the_request_stays(bench):
    assert (await bench.run('test "$CUDA_VISIBLE_DEVICES" = 0', env={"CUDA_VISIBLE_DEVICES": "0"})).exit_code == 0


async def test_gpus_of_processes_are_a_convention_and_it_says_so(tmp_path):
    runtime = ProcessRuntime(WORKER, tmp_path / "work", gpus=[Gpu(uuid="GPU-a")])
    await runtime.open()
    assert "gpus" not in runtime.info.enforced
    assert [note for note in runtime.info.notes if "CUDA_VISIBLE_DEVICES" in note]
    runtime.check(Limits(gpus=1))
    with pytest.raises(UnschedulableError, match="gpus: it asks for 2, this machine has 1; ask for less"):
        runtime.check(Limits(gpus=2))
    await runtime.close()
