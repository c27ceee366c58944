"""Jobs whose consumption is known, run by each real runtime; the same tests run on cgroup v1 here and on v2 in tests/uml.

What an engine does to start a container happens inside the job's cgroup, and is the job's by the kernel's account. The program
therefore reads what was counted before its own first instruction, and that is told apart.
"""

import io
import os
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

import anyio
import docker
import pytest

from fluster.cgroup import find_hierarchy
from fluster.cri import parse_line
from fluster.job import Figures, Source
from fluster.runtime import ExitResult
from fluster.runtime.process import ProcessRuntime
from fluster.stats import Sampler
from tests import absent
from tests.contract.conftest import WORKER, Bench

IMAGE = "fluster-test-empty:latest"
INTERVAL_SECONDS = 0.1
MIB = 1024 * 1024


def near(truth, *, absolute):
    """The stated tolerance: two hundredths, and `absolute` for what no program can know of itself."""
    return pytest.approx(truth, rel=0.02, abs=0.02 * truth + absolute)


def memory(truth):
    return near(truth, absolute=4 * MIB)


def cpu(truth):
    return near(truth, absolute=0.020)


@dataclass(frozen=True)
class Outcome:
    """What a job said of itself, and what Fluster counted."""

    result: ExitResult
    figures: Figures
    """The final figures, completed by what was sampled: as a worker keeps them."""
    lines: list[str]

    def numbers(self, word):
        """The numbers of each line that begins with this word."""
        return [[int(each) for each in line.split()[1:]] for line in self.lines if line.startswith(f"{word} ")]

    def number(self, word):
        ((found,),) = self.numbers(word)
        return found

    @property
    def start_seconds(self):
        """CPU that the kernel had counted when the program began."""
        counted = self.number("began")
        assert counted >= 0, "the program did not find the account of its own cgroup"
        return counted / 1e9

    @property
    def cpu_seconds(self):
        """CPU that the processes of the program say they used."""
        return sum(numbers[2] for numbers in self.numbers("cpu")) / 1e9

    @property
    def counted_seconds(self):
        """CPU that Fluster counted since the program began."""
        return self.figures.cpu_seconds - self.start_seconds

    @property
    def system_seconds(self):
        return sum(numbers[1] for numbers in self.numbers("cpu")) / 1e6


class Truth(Bench):
    """A runtime that runs the program of known consumption."""

    def __init__(self, name, make, root, image, program):
        super().__init__(name, make, root, image)
        self.program = program
        self.sampler = Sampler(INTERVAL_SECONDS)

    @property
    def init(self):
        """Processes beside the program's own: a container has its init process."""
        return 1 if self.name == "docker" else 0

    def spec(self, command, *, job_id="job", **more):
        # The directory of calls is in every job's view, the container's too, and read-only there.
        call = self.root / "work" / job_id / "call"
        call.mkdir(parents=True, exist_ok=True)
        if not (call / "program").exists():
            shutil.copy(self.program, call / "program")
        seen = Path(self.runtime.call_path or call)
        return super().spec([str(seen / "program"), *map(str, command)], job_id=job_id, **more)

    def kernel_files(self):
        """Names of the files that this kernel has for every cgroup of the worker."""
        hierarchy = find_hierarchy(WORKER)
        return {name for directory in hierarchy.directories(hierarchy.base).values() for name in os.listdir(directory)}

    def output(self, job_id="job"):
        """The job's view of its output directory."""
        return self.runtime.output_path or str(self.root / "work" / job_id / "output")

    async def measure_cpu(self, *command, **more):
        """A measurement whose CPU time is what the program says, or the last of all attempts."""
        for attempt in range(ATTEMPTS):
            outcome = await self.measure(*command, job_id=f"cpu{attempt}", **more)
            if outcome.counted_seconds == cpu(outcome.cpu_seconds):
                break
        return outcome

    async def measure(self, *command, job_id="job", **more):
        async with self.started(command, job_id=job_id, **more) as execution:
            self.sampler.add(job_id, self.runtime.reader(execution), [])
            result = await self.runtime.wait(execution)
            sampled = await anyio.to_thread.run_sync(self.sampler.finish, job_id)
            self.sampler.forget(job_id)
        raw = (self.root / "logs" / job_id / "job.log").read_bytes().split(b"\n")[:-1]
        lines = [line.data.decode() for line in map(parse_line, raw) if line.stream == "stdout"]
        return Outcome(result, result.figures.over(sampled), lines)


ATTEMPTS = 4 if os.environ.get("FLUSTER_INSIDE_UML") else 1
"""A kernel that is a process does not know when its CPU is taken away: whoever ran inside is charged with that time, also after it has
said what it used. Such a measurement is repeated; what is counted wrongly is so every time."""


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    absent.needed("gcc")
    path = tmp_path_factory.mktemp("truth") / "program"
    source = Path(__file__).with_name("program.c")
    command = ["gcc", "-static", "-O1", "-Wall", "-Werror", "-pthread", "-o", str(path), str(source)]
    subprocess.run(command, check=True)
    return path


@pytest.fixture(scope="session")
def empty_image(engine):
    """The program needs nothing of its image."""
    client = docker.APIClient(base_url=engine, timeout=120)
    try:
        if not client.images(IMAGE):
            archive = io.BytesIO()
            with tarfile.open(fileobj=archive, mode="w") as tar:
                folder = tarfile.TarInfo("tmp")
                folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
                tar.addfile(folder)
            repository, _, tag = IMAGE.partition(":")
            client.import_image_from_data(archive.getvalue(), repository=repository, tag=tag)
    finally:
        client.close()
    return IMAGE


@pytest.fixture(params=["process", pytest.param("docker", marks=pytest.mark.docker)])
async def truth(request, tmp_path, program):
    if request.param == "docker":
        from fluster.runtime.docker import DockerRuntime

        engine, image = request.getfixturevalue("engine"), request.getfixturevalue("empty_image")
        bench = Truth("docker", lambda: DockerRuntime(WORKER, base_url=engine), tmp_path, image, program)
    else:
        bench = Truth("process", lambda: ProcessRuntime(WORKER, tmp_path / "work"), tmp_path, "", program)
    await bench.runtime.open()
    if bench.runtime.info.figures is not Source.KERNEL and absent.allowed():
        await bench.runtime.close()
        absent.leave_out(f"no figures of the kernel here ({bench.runtime.info.notes})")
    bench.sampler.start()
    yield bench
    bench.sampler.stop()
    await bench.runtime.close()


@pytest.fixture(scope="session")
def many():
    """How many jobs make "many": a machine without KVM inside another one gets fewer."""
    return int(os.environ.get("FLUSTER_TRUTH_JOBS", "100"))
