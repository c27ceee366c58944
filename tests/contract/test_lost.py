"""An execution that vanished, while its worker watched or was away: what the kernel accounted is read before it is removed."""

import os
import signal

import anyio
import docker
import pytest

from fluster.cri import parse_line
from fluster.job import Source
from fluster.runtime import ExecutionLostError

from .test_runtime import directories_of, until

pytestmark = pytest.mark.anyio
MIB = 1024 * 1024
PROGRAM = "import os, time\nheld = b'x' * (50 << 20)\nwhile sum(os.times()[:2]) < 0.3: pass\nprint('ready', flush=True)\ntime.sleep(600)"
SCRIPT = {"SECONDS": "600", "MEMORY_PEAK": "60m", "CPU_SECONDS": "0.3", "STDOUT": "ready\n", "FAIL": "vanish"}


async def ready(bench):
    spec = bench.spec(["python3", "-c", PROGRAM], script=SCRIPT)
    execution = await bench.runtime.start(spec)
    await until(lambda: spec.log_path.exists() and b"ready" in spec.log_path.read_bytes())
    return execution


def lose(bench, execution):
    """Someone removes the container; someone kills the supervisor process. The fake's script says that it vanishes."""
    if bench.name == "docker":
        client = docker.APIClient(base_url=bench.runtime._base_url)
        client.remove_container(execution.handle, force=True)
        client.close()
    elif not bench.fake:
        pid = int(execution.handle.split(":")[0])
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


async def figures_of_the_lost(bench, execution):
    with anyio.fail_after(30), pytest.raises(ExecutionLostError) as caught:
        await bench.runtime.wait(execution)
    return caught.value.figures


def check(bench, figures):
    if "without" in bench.name:
        # Nobody was there to sample, and nobody to wait for the processes: nothing is known, and nothing is said.
        assert (figures.cpu_seconds, figures.memory_peak_bytes, figures.cpu_source) == (None, None, None)
        return
    assert 0.3 <= figures.cpu_seconds < 2
    assert 50 * MIB <= figures.memory_peak_bytes < 150 * MIB
    assert figures.cpu_source is figures.memory_peak_source is Source.KERNEL


async def test_a_lost_execution_tells_its_last_figures(bench):
    execution = await ready(bench)
    lose(bench, execution)
    check(bench, await figures_of_the_lost(bench, execution))
    await bench.runtime.remove(execution)
    assert directories_of("job") == []


async def test_one_that_was_lost_while_the_worker_was_away_is_found_read_and_removed(bench):
    execution = await ready(bench)
    await bench.runtime.close()
    lose(bench, execution)
    bench.runtime = bench.make()
    await bench.runtime.open()
    found = await bench.runtime.recover({"job": execution.spec}, {"job": execution.handle})
    assert bench.fake or found["job"].lost
    assert bench.runtime.orphans_removed == 0
    check(bench, await figures_of_the_lost(bench, found["job"]))
    await bench.runtime.remove(found["job"])
    assert directories_of("job") == []
    if not bench.fake:
        lines = execution.spec.log_path.read_bytes().split(b"\n")[:-1]
        assert [parse_line(raw).data for raw in lines] == [b"ready"]
