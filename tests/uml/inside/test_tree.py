"""What only a cgroup v2 kernel can show: the tree, a part of it that was handed to someone, and that nothing is left in it."""

import os
import subprocess
import sys
import textwrap

import anyio
import pytest

from fluster.cgroup import Bounds, JobCgroup, find_hierarchy
from fluster.job import Limits, Source
from tests.contract.conftest import WORKER
from tests.truth.conftest import MIB, empty_image, many, memory, program, truth

__all__ = ["empty_image", "many", "program", "truth"]

pytestmark = pytest.mark.anyio
ROOT = "/sys/fs/cgroup"
NOBODY = 65534


def directories(name):
    return [os.path.join(root, each) for root, names, _ in os.walk(ROOT) for each in names if each == name]


async def test_everything_is_enforced_and_the_figures_are_the_kernels(truth):
    info = truth.runtime.info
    assert info.cgroup_version == 2
    assert info.figures is Source.KERNEL
    assert {"cpu", "memory", "processes"} <= set(info.enforced)
    assert info.notes == ()


async def test_a_limit_of_processes_is_the_jobs(truth):
    limits = Limits(max_processes=12)
    outcome = await truth.measure("fork", 40, limits=limits)
    assert outcome.result.exit_code == 94  # the program's word for a fork that was refused
    assert directories("job") == []


async def test_what_a_crash_left_is_found_and_removed(truth):
    """The worker is gone without a word: the next one knows nothing of its job."""
    spec = truth.spec(["memory", 8, 600_000], job_id="forgotten")
    await truth.runtime.start(spec)
    assert len(directories("forgotten")) == 1
    successor = truth.make()
    await successor.open()
    try:
        assert await successor.recover({}, {}) == {}
        assert successor.orphans_removed == 1
        assert directories("forgotten") == []
    finally:
        await successor.close()


def test_a_job_with_cgroups_of_its_own_is_killed_whole_at_once():
    group = JobCgroup(find_hierarchy(WORKER), "family")
    group.create(Bounds())
    children = []
    try:
        for place in ("", "/deep", "/deep/er"):
            directory = group.directories[""] + place
            os.makedirs(directory, exist_ok=True)
            child = subprocess.Popen(["sleep", "600"])
            children.append(child)
            with open(f"{directory}/cgroup.procs", "w") as file:
                file.write(str(child.pid))
        assert os.path.exists(f"{group.directories['']}/cgroup.kill")
        assert group.pids() == {child.pid for child in children}
        assert not [child for child in children if child.poll() is not None]
    finally:
        assert group.kill()
        assert [child.wait(10) for child in children] == [-9, -9, -9]
        group.remove()
    assert directories("family") == []


WORKER_OF_NOBODY = """
import os, sys
import anyio
from pathlib import Path
from fluster.job import Limits
from fluster.runtime import ExecutionSpec, Workspace
from fluster.runtime.process import ProcessRuntime

async def main(root):
    assert os.geteuid() != 0
    runtime = ProcessRuntime("handed", root / "work")
    await runtime.open()
    print(runtime.info, flush=True)
    again = ProcessRuntime("handed", root / "work")
    await again.open()
    assert again.info == runtime.info
    workspace = Workspace(root=root / "work" / "job")
    for directory in (workspace.source, workspace.output, root / "logs"):
        directory.mkdir(parents=True)
    spec = ExecutionSpec(
        job_id="job", worker_id="handed", command=(sys.argv[2], "memory", "200", "5"), env={"FLUSTER_JOB_ID": "job"},
        workspace=workspace, log_path=root / "logs" / "job.log", limits=Limits(memory_bytes=48 << 20, cpu_millicores=800, max_processes=50),
    )
    execution = await runtime.start(spec)
    result = await runtime.wait(execution)
    await runtime.remove(execution)
    figures = result.figures
    print("result", result.exit_code, result.oom_killed, figures.memory_peak_source, figures.memory_peak_bytes, figures.oom_kills)
    await runtime.close()

anyio.run(main, Path(sys.argv[1]))
"""


@pytest.fixture
def handed_over():
    """A cgroup as systemd makes one for a unit with Delegate=yes and User=nobody."""
    path = f"{ROOT}/handed-over"
    os.mkdir(path)
    for name in (path, *(f"{path}/{each}" for each in ("cgroup.procs", "cgroup.threads", "cgroup.subtree_control"))):
        os.chown(name, NOBODY, NOBODY)
    yield path
    for each, _, _ in os.walk(path, topdown=False):
        os.rmdir(each)


def test_a_worker_without_rights_has_the_kernels_figures_in_a_part_that_was_handed_to_it(
    handed_over, program, tmp_path
):
    find_hierarchy(WORKER)  # the controllers reach the children of the root
    script = tmp_path / "worker.py"
    script.write_text(textwrap.dedent(WORKER_OF_NOBODY))
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    # Its Python may lie where only root may read: that it may, and no more.
    enter = f"echo $$ > {handed_over}/cgroup.procs && exec setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups "
    enter += '--inh-caps -all,+dac_read_search --ambient-caps -all,+dac_read_search "$@"'
    done = subprocess.run(
        ["sh", "-c", enter, "sh", sys.executable, str(script), str(home), str(program)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    first, last = done.stdout.splitlines()
    assert "figures=<Source.KERNEL" in first
    assert "enforced=('cpu', 'memory', 'processes', 'disk')" in first
    _, code, oom_killed, source, peak, kills = last.split()
    assert (code, oom_killed, source, kills) == ("137", "True", "kernel", "1")
    assert int(peak) == memory(48 * MIB)
    assert directories("job") == []


def test_root_in_a_container_stays_in_its_own_part(tmp_path):
    """A namespace of cgroups, as engines give it: its root is a cgroup like others, with processes in it."""
    find_hierarchy(WORKER)
    path = f"{ROOT}/container"
    os.mkdir(path)
    script = tmp_path / "inner.py"
    script.write_text(
        "from fluster.cgroup import find_hierarchy\n"
        "assert find_hierarchy('inner') == find_hierarchy('inner')\n"
        "print(find_hierarchy('inner').base, find_hierarchy('inner').enforces())\n"
    )
    inner = f"umount {ROOT} && mount -t cgroup2 cgroup2 {ROOT} && exec {sys.executable} {script}"
    enter = f"echo $$ > {path}/cgroup.procs && exec unshare --cgroup --mount sh -c '{inner}'"
    try:
        done = subprocess.run(["sh", "-c", enter], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == "/fluster/inner ('cpu', 'memory', 'processes')"
        assert os.path.isdir(f"{path}/fluster/inner")
        assert os.path.isdir(f"{path}/fluster-worker")
    finally:
        for each, _, _ in os.walk(path, topdown=False):
            os.rmdir(each)


async def test_ended_jobs_leave_no_directory(truth):
    async with anyio.create_task_group() as tasks:
        for number in range(2):
            tasks.start_soon(lambda number=number: truth.measure("nothing", job_id=f"short{number}"))
    assert [each for number in range(2) for each in directories(f"short{number}")] == []
