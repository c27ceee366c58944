r"""What a runtime is. Three are built in: `docker`, `process` and `fake`; one contract suite (tests/contract) holds them to this.

The way of an execution:

    open() once -> start(spec) -> wait(execution) -> remove(execution)
                        \-> reader(execution): live figures, read by the sampling thread until wait() returns
                        \-> stop(execution, grace_seconds): at any time between start() and remove()

A runtime owns the processes of a job, its cgroup, and the writing of its `job.log`. It does not know states, queues,
builds or timeouts: the supervisor does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from fluster.cri import LogBounds
from fluster.errors import InfrastructureError
from fluster.gpu import Gpu
from fluster.job import Figures, Limits, LogCounts, Source
from fluster.runtime.operations import Operations

__all__ = [
    "Execution",
    "ExecutionLostError",
    "ExecutionSpec",
    "ExitResult",
    "FiguresReader",
    "Point",
    "Runtime",
    "RuntimeInfo",
    "Workspace",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeInfo:
    """What a runtime is and what it can do on this machine; said at start, shown in fluster_worker_info and on the page."""

    name: str
    """"docker", "process" or "fake"."""
    engine_version: str = ""
    cgroup_version: int | None = None
    """1 or 2; None where jobs have no cgroup of this worker's."""
    figures: Source = Source.SAMPLED
    """KERNEL where each job runs below a cgroup that this worker owns."""
    enforced: tuple[str, ...] = ()
    """Limits that it enforces for a job as a whole: any of "cpu", "memory", "processes", "disk", "gpus"."""
    notes: tuple[str, ...] = ()
    """One sentence for each thing that it cannot do here, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The directories of one job below `<state-dir>/work/<job_id>`; made before start(), removed when the job is forgotten."""

    root: Path

    @property
    def source(self) -> Path:
        """The job's own writable copy of the bundle; its working directory where the runtime `uses_source_tree`."""
        return self.root / "source"

    @property
    def output(self) -> Path:
        """FLUSTER_OUTPUT_DIR of the job, kept until the job is forgotten."""
        return self.root / "output"

    @property
    def call(self) -> Path:
        """A pickled call and its loader, read-only for the job; missing where the job is a command."""
        return self.root / "call"

    @property
    def control(self) -> Path:
        """The runtime's own files about this execution; never visible to the job."""
        return self.root / "control"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionSpec:
    """All that a runtime needs to start one job."""

    job_id: str
    worker_id: str
    command: tuple[str, ...]
    """Never empty, never a shell string."""
    env: dict[str, str]
    """The job's variables: the environment's, the request's, then FLUSTER_*. Paths in it are the job's own view."""
    workspace: Workspace
    log_path: Path
    """`job.log`, to be written as CRI lines through fluster.cri.CriWriter."""
    log_bounds: LogBounds = field(default_factory=LogBounds)
    image: str = ""
    """Docker: what to run. Empty elsewhere."""
    limits: Limits = field(default_factory=Limits)
    ports: dict[str, int] = field(default_factory=dict)
    """Name -> TCP port of the host; docker publishes it on 127.0.0.1 under the same number."""
    gpus: tuple[str, ...] = ()
    """UUIDs of the GPUs that the job may use: these, and where the runtime can enforce it no other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """A started job, small enough to be kept in the store and found again after a restart."""

    job_id: str
    handle: str
    """The runtime's own name for it: container id, or pid and start time of the job's supervisor process."""
    started_ns: int
    """When the job's first process was started, by the engine's clock; UTC, nanoseconds. 0 where that is lost."""
    spec: ExecutionSpec
    lost: bool = False
    """Found after a restart with nothing left of it but its account: wait() raises ExecutionLostError with the figures."""


class ExecutionLostError(InfrastructureError):
    """The execution vanished, or is out of reach for good. What is still known of it: the kernel keeps the account of a cgroup."""

    def __init__(self, message: str, figures: Figures) -> None:
        super().__init__(message)
        self.figures = figures


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitResult:
    """How an execution ended: a value, not an exception."""

    exit_code: int | None
    """As a shell gives it: 128 + n for signal n. None where the engine lost it."""
    finished_ns: int
    """When the last process was gone; UTC, nanoseconds."""
    oom_killed: bool
    """The kernel's or the engine's own word that the job was ended for memory (its main process, or exit 137 with a kill)."""
    figures: Figures
    """Final figures, read after the last process was gone."""
    logs: LogCounts
    """The whole of job.log; every line that the job wrote is in the file when wait() returns."""
    disk_exceeded: bool = False


class Point(NamedTuple):
    """What every pass of the sampler needs of a job: bytes, nanoseconds and counts; None is unknown."""

    at_ns: int
    """UTC, nanoseconds."""
    cpu_ns: int | None = None
    """Since the start of the job, all modes."""
    memory_usage_bytes: int | None = None
    memory_working_set_bytes: int | None = None
    memory_anon_bytes: int | None = None
    processes: int | None = None


class FiguresReader(Protocol):
    """Reads the live figures of one execution until remove(). Thread-safe; never raises for a vanished job."""

    def sample(self) -> Point:
        """Read everything that is known now. Must not wait for anything: microseconds for cgroups, a kept value for an engine."""

    def sample_memory(self) -> Point | None:
        """Only what is cheap enough for ten times a second; None where nothing changed or only sample() is to be used."""

    def figures(self, **seen: Any) -> Figures:
        """All that the last sample() read; `seen` are fields that someone else knows of."""


class Runtime(ABC):
    """See the module's text. All coroutines are safe to call concurrently for different jobs, and are cancellable:

    a cancelled start() leaves nothing behind, a cancelled wait() leaves the job running.
    """

    info: RuntimeInfo
    """Complete after open()."""
    gpus: tuple[Gpu, ...] = ()
    """The GPUs of this machine that it can pass on to jobs; complete after open()."""
    operations: Operations
    """What was asked of the engine, for fluster_engine_*."""
    orphans_removed: int
    """Leftovers that recover() removed."""
    uses_source_tree: bool
    """True: the job works in workspace.source, which the caller fills. False: the files come with the image."""
    work_path: str = ""
    """The job's view of its working directory; empty where it is workspace.source itself."""
    output_path: str = ""
    """The job's view of workspace.output; empty where it is that path itself."""
    call_path: str = ""
    """The job's view of workspace.call; empty where it is that path itself."""

    @abstractmethod
    async def open(self) -> None:
        """Connect and find out what is possible here. Raises EngineUnavailableError in one sentence."""

    @abstractmethod
    async def close(self) -> None:
        """Release what open() took. Jobs that run keep running."""

    @abstractmethod
    async def ping(self) -> None:
        """Raises EngineUnavailableError where the engine does not answer now."""

    @abstractmethod
    def check(self, limits: Limits) -> None:
        """Raises UnschedulableError where this machine can never give that much, or cannot enforce it at all."""

    @abstractmethod
    async def start(self, spec: ExecutionSpec) -> Execution:
        """Start the job; returns when its first process runs.

        Raises StartError (command not found, not executable, image without it) or InfrastructureError; nothing is left behind.
        Where an init process stands before the command, wait() may be the one that raises StartError.
        """

    @abstractmethod
    async def wait(self, execution: Execution) -> ExitResult:
        """Until the job's main process ended, then everything else of it was ended too, its log is drained and its figures
        are final. May be called again (after a cancel, after a restart) and then gives the same.

        Raises ExecutionLostError with the last figures where the execution vanished or the engine went away for good; what was
        left of it is ended before that.
        """

    @abstractmethod
    async def stop(self, execution: Execution, grace_seconds: float) -> None:
        """SIGTERM to the job, `grace_seconds` of patience, then SIGKILL to all of it. Returns when it was asked; wait() confirms.

        Idempotent; a second call with a shorter grace shortens it. A job that already ended is no error.
        """

    @abstractmethod
    def reader(self, execution: Execution) -> FiguresReader:
        """The reader of live figures of one execution, until remove() closes it. Raises OSError where its files cannot be opened.

        On the event loop: some small files are opened, no engine is asked.
        """

    def memory_changed(self) -> bool:
        """False where no job's memory has changed since the last call: then no reader needs to be asked for sample_memory().

        For the sampling thread, ten times a second.
        """
        return True

    def disk_paths(self, execution: Execution) -> list[Path]:
        """The directories whose size is the job's disk usage. Asked on the event loop: must not wait for anything."""
        workspace = execution.spec.workspace
        return [workspace.source, workspace.output]

    @abstractmethod
    async def remove(self, execution: Execution) -> None:
        """Remove container, cgroup and control files. Idempotent; workspace, output and log stay."""

    @abstractmethod
    async def recover(self, specs: dict[str, ExecutionSpec], handles: dict[str, str]) -> dict[str, Execution]:
        """After a restart: the executions of these jobs (by job id) that still exist, running or ended, so that wait() goes on.

        One of which only the account is left is `lost`. Whatever else of this worker's is found is a leftover and is removed.
        """
