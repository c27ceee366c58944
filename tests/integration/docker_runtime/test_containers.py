"""What only the docker runtime can show: logs exact to the byte, containers without rights, and an engine that others use, too."""

import dataclasses
import os
import socket
import urllib.request

import anyio
import anyio.to_thread
import pytest
import requests

from fluster.cri import parse_line
from fluster.errors import InfrastructureError, StartError, UnschedulableError
from fluster.gpu import Gpu
from fluster.job import Limits, Source
from fluster.runtime import ExecutionLostError
from fluster.runtime.docker.client import cut
from fluster.runtime.docker.ending import Ending
from tests.contract.conftest import WORKER, until
from tests.integration.docker_runtime.conftest import make_bench

pytestmark = [pytest.mark.anyio, pytest.mark.docker]
MIB = 1024 * 1024
KIB16 = 16 * 1024


def lines_of(bench, stream="stdout", job_id="job"):
    """The lines as the job wrote them: parts joined again."""
    held, lines = b"", []
    path = bench.root / "logs" / job_id / "job.log"
    for raw in path.read_bytes().split(b"\n")[:-1] if path.exists() else ():
        line = parse_line(raw)
        if line.stream != stream:
            continue
        held += line.data
        if not line.partial:
            lines.append(held)
            held = b""
    return [*lines, held] if held else lines


async def test_a_container_has_no_rights(bench, sdk):
    command = "grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status; sleep 60"
    async with bench.started(command) as execution:
        await until(lambda: len(lines_of(bench)) == 3)
        found = sdk.inspect_container(execution.handle)
    assert {line.split()[-1].lstrip(b"0") for line in lines_of(bench) if line.startswith(b"Cap")} == {b""}
    assert lines_of(bench)[-1].split() == [b"NoNewPrivs:", b"1"]
    assert found["HostConfig"]["Init"] is True
    assert found["Config"]["Labels"]["fluster.job_id"] == "job"
    assert found["Config"]["Labels"]["fluster.worker_id"] == WORKER


async def test_the_disk_of_a_job_is_its_output_and_its_layer_without_a_question_to_the_engine(bench, sdk, monkeypatch):
    def asked(*_args, **_kwargs):
        raise AssertionError("the engine was asked")

    spec = bench.spec(["sleep", "600"])
    execution = await bench.runtime.start(spec)
    driver = sdk.inspect_container(execution.handle).get("GraphDriver") or {}
    layer = (driver.get("Data") or {}).get("UpperDir")  # some drivers have none
    paths = [str(spec.workspace.output), *([layer] if layer else [])]
    for _ in range(2):
        with monkeypatch.context() as patched:
            patched.setattr(bench.runtime._client, "inspect_container", asked)
            assert [str(path) for path in bench.runtime.disk_paths(execution)] == paths
        await bench.runtime.close()
        bench.runtime = bench.make()
        await bench.runtime.open()
        execution = (await bench.runtime.recover({"job": spec}, {"job": execution.handle}))["job"]
    await bench.runtime.remove(execution)


async def test_a_port_answers_on_loopback(bench):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    spec = dataclasses.replace(bench.spec(["python3", "-m", "http.server", str(port)]), ports={"http": port})
    execution = await bench.runtime.start(spec)
    try:

        def get():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                return answer.status

        status = None
        with anyio.fail_after(20):
            while status is None:
                try:
                    status = await anyio.to_thread.run_sync(get)
                except OSError:
                    await anyio.sleep(0.05)
        assert status == 200
    finally:
        await bench.runtime.stop(execution, 0)
        await bench.runtime.wait(execution)
        await bench.runtime.remove(execution)


async def test_an_image_that_cannot_be_had_is_a_sentence_and_leaves_nothing(bench, sdk):
    bench.image = "fluster-there-is-no-such-image:1"
    with pytest.raises(StartError, match="fluster-there-is-no-such-image"):
        await bench.runtime.start(bench.spec("true"))
    assert sdk.containers(all=True, filters={"label": f"fluster.worker_id={WORKER}"}) == []
    assert not os.path.exists(f"/sys/fs/cgroup/memory/fluster/{WORKER}/job")


async def test_a_container_that_someone_removed_is_the_infrastructures_fault(bench, sdk):
    execution = await bench.runtime.start(bench.spec("seq 1000; printf unfinished; sleep 600"))
    await until(lambda: len(lines_of(bench)) == 1000)
    sdk.remove_container(execution.handle, force=True)
    with anyio.fail_after(30), pytest.raises(InfrastructureError, match="the container vanished"):
        await bench.runtime.wait(execution)
    assert lines_of(bench) == [*(b"%d" % n for n in range(1, 1001)), b"unfinished"]
    await bench.runtime.remove(execution)
    async with bench.started("exit 3", job_id="next") as after:
        assert (await bench.runtime.wait(after)).exit_code == 3


async def test_an_engine_that_stays_away_ends_the_job_with_what_the_kernel_accounted(bench, monkeypatch):
    def away(*_args, **_kwargs):
        raise requests.exceptions.ConnectionError("the test says so")

    program = "import os, time\nwhile sum(os.times()[:2]) < 0.3: pass\nprint('ready', flush=True)\ntime.sleep(600)"
    execution = await bench.runtime.start(bench.spec(["python3", "-c", program]))
    await until(lambda: lines_of(bench) == [b"ready"])
    with monkeypatch.context() as patched:
        patched.setattr("fluster.runtime.docker.ending.AWAY_SECONDS", 0.2)
        patched.setattr(Ending, "_wait", away)
        await until(lambda: bench.runtime._captures["job"]._ending._response is not None)
        await anyio.to_thread.run_sync(cut, bench.runtime._captures["job"]._ending._response)
        with anyio.fail_after(30), pytest.raises(ExecutionLostError, match="did not answer") as caught:
            await bench.runtime.wait(execution)
    assert 0.3 <= caught.value.figures.cpu_seconds < 2
    assert caught.value.figures.cpu_source is Source.KERNEL
    assert caught.value.figures.processes == 0
    await bench.runtime.remove(execution)


async def test_a_killed_child_is_no_end_of_the_job(bench):
    program = (
        "import subprocess, sys\n"
        "child = subprocess.run([sys.executable, '-c', 'held = bytearray(200 << 20); held[::4096] = held[::4096]'])\n"
        "print(child.returncode)"
    )
    result = await bench.run(["python3", "-c", program], limits=Limits(memory_bytes=64 * MIB))
    assert result.exit_code == 0
    assert not result.oom_killed
    assert result.figures.oom_kills >= 1
    assert lines_of(bench) == [b"-9"]


async def test_without_cgroups_the_engine_limits_and_the_figures_say_that_they_are_sampled(
    engine, base_image, tmp_path
):
    bench = make_bench(engine, base_image, tmp_path, use_cgroups=False)
    await bench.runtime.open()
    try:
        assert (bench.runtime.info.figures, bench.runtime.info.cgroup_version) == (Source.SAMPLED, None)
        assert any("sampled" in note for note in bench.runtime.info.notes)
        program = "held = bytearray(200 << 20)\nheld[::4096] = b'x' * len(held[::4096])"
        result = await bench.run(["python3", "-c", program], limits=Limits(memory_bytes=64 * MIB))
        assert (result.exit_code, result.oom_killed) == (137, True)
        async with bench.started(["sleep", "60"], job_id="live") as execution:
            reader = bench.runtime.reader(execution)
            await until(lambda: reader.sample().memory_usage_bytes)
            assert reader.figures().memory_peak_source is Source.SAMPLED
            assert reader.sample_memory() is None
    finally:
        await bench.runtime.close()


async def test_an_engine_without_nvidias_toolkit_says_what_is_missing_and_leaves_nothing(
    engine, base_image, tmp_path, sdk
):
    if "nvidia" in sdk.info().get("Runtimes", {}):
        return  # this engine has it
    bench = make_bench(engine, base_image, tmp_path, gpus=[Gpu(uuid="GPU-a")])
    await bench.runtime.open()
    assert "gpus" in bench.runtime.info.enforced
    spec = dataclasses.replace(bench.spec("true", job_id="wants-a-gpu"), gpus=("GPU-a",))
    with pytest.raises(
        InfrastructureError, match="^gpus: the engine cannot pass GPUs to containers; install the NVIDIA"
    ):
        await bench.runtime.start(spec)
    assert sdk.containers(all=True, filters={"label": "fluster.job_id=wants-a-gpu"}) == []
    await bench.runtime.close()


async def test_an_engine_elsewhere_gets_no_gpus_of_this_machine(engine, base_image, tmp_path, monkeypatch):
    monkeypatch.setattr("fluster.runtime.docker.runtime.is_remote", lambda _client: True)
    bench = make_bench(engine, base_image, tmp_path, gpus=[Gpu(uuid="GPU-a")])
    await bench.runtime.open()
    assert bench.runtime.gpus == ()
    assert "gpus" not in bench.runtime.info.enforced
    assert [note for note in bench.runtime.info.notes if "GPUs" in note]
    with pytest.raises(UnschedulableError, match="^gpus: it asks for 1"):
        bench.runtime.check(Limits(gpus=1))
    await bench.runtime.close()
