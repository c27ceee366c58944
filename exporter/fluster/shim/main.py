"""The supervisor process of one job, what containerd's shim is to a container.

Started as a script of its own, in a session of its own: it holds the job's pipes, stamps and writes the log, reaps, and records
exit and final figures durably, whether or not a worker is there. Nothing of the job outlives it. Standard library only, and
few modules of that: its start is part of every job's start.

In `<workspace>/control`: reads spec.json; writes start.json, exit.json (both durable before they are visible); takes lines
`stop <grace seconds>` from the FIFO `stop`. The first line of the ready pipe is what start.json says, or an error.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import resource
import select
import signal
import sys
import time

from fluster.cgroup.group import JobCgroup
from fluster.cgroup.hierarchy import Hierarchy
from fluster.cgroup.reader import CgroupReader
from fluster.cri.writer import CriWriter
from fluster.shim.kin import descendants, start_ticks

PIPE_BYTES = 1024 * 1024
READ_BYTES = 256 * 1024
"""What is read at once is written at once: even of empty lines that is some MiB of log."""
DRAIN_SECONDS = 5.0
"""How long a pipe may stay open once all of the job is dead: only a process outside the job can hold it then."""


class Shim:
    def __init__(self, control: str) -> None:
        self.control = control
        with open(f"{control}/spec.json") as file:
            self.spec = json.load(file)
        self.group: JobCgroup | None = None
        self.reader: CgroupReader | None = None
        if self.spec["cgroup"]:
            self.group = JobCgroup(Hierarchy(**self.spec["cgroup"]), self.spec["job_id"])
            self.reader = CgroupReader(self.group)
        self.log = CriWriter(self.spec["log_path"], **self.spec["log_bounds"])
        self.pid = 0
        self.status: int | None = None
        self.kill_at: float | None = None
        self.killed_by_us = False
        self.user_seconds = self.system_seconds = 0.0
        self.max_rss = 0
        self.streams: dict[int, str] = {}
        self.poll = select.poll()

    def start(self) -> int:
        """Start the job; returns when it began, in nanoseconds. Raises StartFailure."""
        os.mkfifo(f"{self.control}/stop", 0o600)
        self.stop_fd = os.open(f"{self.control}/stop", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        out_read, out_write = os.pipe()
        err_read, err_write = os.pipe()
        error_read, error_write = os.pipe()
        for descriptor in (out_write, err_write):
            try:
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
            except OSError:
                break  # this user's pipes are used up: smaller ones do
        began = time.time_ns()
        self.pid = os.fork()
        if self.pid == 0:
            run_child(self.spec, out_write, err_write, error_write)
        for descriptor in (out_write, err_write, error_write):
            os.close(descriptor)
        failure = os.read(error_read, 4096)
        os.close(error_read)
        if failure:
            os.waitpid(self.pid, 0)
            raise StartFailure(failure.decode("utf-8", "replace"))
        for descriptor, stream in ((out_read, "stdout"), (err_read, "stderr")):
            os.set_blocking(descriptor, False)
            self.streams[descriptor] = stream
            self.poll.register(descriptor, select.POLLIN)
        return began

    def run(self) -> None:
        """Until the job is over and all of it is gone, its log is written and its figures are final."""
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_read, False)
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.poll.register(wake_read, select.POLLIN)
        self.poll.register(self.stop_fd, select.POLLIN)
        self.reap()
        while self.status is None:
            for descriptor, _ in self.poll.poll(self.timeout_ms()):
                if descriptor == wake_read:
                    drain(wake_read)
                elif descriptor == self.stop_fd:
                    self.take_stop()
                else:
                    self.take_output(descriptor)
            self.reap()
            if self.kill_at is not None and time.monotonic() >= self.kill_at and self.status is None:
                self.killed_by_us = True
                self.kill_at = None
                self.kill_all()
        self.kill_all()
        self.drain_output()
        self.finished_ns = time.time_ns()
        self.log.close()

    def timeout_ms(self) -> int | None:
        return None if self.kill_at is None else max(int((self.kill_at - time.monotonic()) * 1000) + 1, 0)

    def take_output(self, descriptor: int) -> None:
        try:
            data = os.read(descriptor, READ_BYTES)
        except BlockingIOError:
            return
        if data:
            self.log.write(self.streams[descriptor], time.time_ns(), data)
        else:
            self.poll.unregister(descriptor)
            del self.streams[descriptor]
            os.close(descriptor)

    def take_stop(self) -> None:
        for line in drain(self.stop_fd).decode("ascii", "replace").splitlines():
            word, _, grace = line.partition(" ")
            try:
                at = time.monotonic() + max(float(grace), 0.0)
            except ValueError:
                continue
            if word != "stop" or self.status is not None:
                continue
            if self.kill_at is None:
                try:
                    os.killpg(self.pid, signal.SIGTERM)
                except ProcessLookupError:
                    pass  # it is ending already
            self.kill_at = at if self.kill_at is None else min(self.kill_at, at)

    def reap(self) -> None:
        """Take every dead child; orphans of the job are children of this process, too."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.user_seconds += usage.ru_utime
            self.system_seconds += usage.ru_stime
            self.max_rss = max(self.max_rss, usage.ru_maxrss * 1024)
            if pid == self.pid:
                self.status = status

    def kill_all(self) -> None:
        """SIGKILL to all that is left of the job, until nothing is."""
        if self.group is not None:
            self.group.kill()
        deadline = time.monotonic() + 10
        while (left := descendants(os.getpid())) and time.monotonic() < deadline:
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            self.reap()
            time.sleep(0.001)
        self.reap()

    def drain_output(self) -> None:
        deadline = time.monotonic() + DRAIN_SECONDS
        while self.streams and time.monotonic() < deadline:
            for descriptor, _ in self.poll.poll(100):
                if descriptor in self.streams:
                    self.take_output(descriptor)
                else:
                    drain(descriptor)

    def result(self) -> dict[str, object]:
        assert self.status is not None  # noqa: S101 # run() ends no other way
        code = os.waitstatus_to_exitcode(self.status)
        exit_code = 128 - code if code < 0 else code
        reading = None
        if self.reader is not None:
            self.reader.read()
            reading = self.reader.reading()._asdict()
        kills = (reading or {}).get("oom_kills") or 0
        return {
            "exit_code": exit_code,
            "finished_ns": self.finished_ns,
            # The kernel's word, unless the SIGKILL was ours and a child's death for memory an older story.
            "oom_killed": kills > 0 and exit_code == 137 and not self.killed_by_us,
            "reading": reading,
            "user_seconds": self.user_seconds,
            "system_seconds": self.system_seconds,
            "max_rss": self.max_rss,
        }


class StartFailure(Exception):  # noqa: N818 # a value on its way to the worker, not an error of this program
    """The command could not be started; str() says why."""


def run_child(spec: dict[str, object], out: int, err: int, error: int) -> None:
    """In the child: become the job. Never returns."""
    try:
        os.setsid()
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD):
            signal.signal(name, signal.SIG_DFL)
        for path in spec["procs_files"]:  # type: ignore[attr-defined] # JSON
            with open(path, "w") as file:
                file.write("0")
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for name, value in spec["rlimits"].items():  # type: ignore[attr-defined] # JSON
            resource.setrlimit(getattr(resource, name), (value, value))
        if spec["open_files"] is not None:  # the worker has raised its own: the job sees what it would have seen
            _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (spec["open_files"], hard))  # type: ignore[arg-type] # JSON
        prctl(38, 1)  # PR_SET_NO_NEW_PRIVS
        os.chdir(str(spec["cwd"]))
        null = os.open("/dev/null", os.O_RDONLY)
        for source, target in ((null, 0), (out, 1), (err, 2)):
            os.dup2(source, target)
        os.set_inheritable(error, False)
        command = [str(each) for each in spec["command"]]  # type: ignore[attr-defined] # JSON
        os.umask(0o022)
        os.execvpe(command[0], command, spec["env"])  # type: ignore[arg-type] # noqa: S606 # JSON; a list, no shell
    except OSError as failure:
        os.write(error, explain(failure, spec).encode("utf-8", "replace"))
    except BaseException as failure:  # noqa: BLE001 # whatever it is, the parent must hear of it
        os.write(error, repr(failure).encode())
    os._exit(127)


def explain(failure: OSError, spec: dict[str, object]) -> str:
    command = spec["command"][0]  # type: ignore[index] # JSON
    if failure.errno == errno.ENOENT:
        return f"command not found: {command!r}; it is neither in the bundle nor in a directory of PATH"
    if failure.errno in {errno.EACCES, errno.EPERM}:
        return f"command not executable: {command!r}; make it executable, or name its interpreter first"
    if failure.errno == errno.ENOEXEC:
        return f"command not executable: {command!r} has no #! line; name its interpreter first"
    return f"{command!r} could not be started: {failure.strerror}"


def prctl(option: int, value: int) -> None:
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def drain(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except BlockingIOError:
        return b""


def write_durably(path: str, document: dict[str, object]) -> None:
    """On the disk before it is seen under its name."""
    temporary = f"{path}.part"
    with open(temporary, "w") as file:
        json.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, path)
    directory = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def write_until_there_is_room(path: str, document: dict[str, object]) -> None:
    """A full disk delays the end of a job; it does not lose it."""
    while True:
        try:
            write_durably(path, document)
        except OSError as failure:
            if failure.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            time.sleep(1)
        else:
            return


def main(control: str, ready: int) -> int:
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(name, signal.SIG_IGN)
    prctl(36, 1)  # PR_SET_CHILD_SUBREAPER: orphans of the job come to this process
    answer: dict[str, object]
    try:
        shim = Shim(control)
        began = shim.start()
        answer = {"started_ns": began, "pid": os.getpid(), "ticks": start_ticks(os.getpid())}
        write_durably(f"{control}/start.json", answer)
    except StartFailure as failure:
        answer = {"refused": str(failure)}
    except OSError as failure:
        answer = {"failed": f"{failure.filename or 'supervisor'}: {failure.strerror}"}
    os.write(ready, json.dumps(answer).encode() + b"\n")
    os.close(ready)
    if "started_ns" not in answer:
        return 1
    shim.run()
    write_until_there_is_room(f"{control}/exit.json", shim.result())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
