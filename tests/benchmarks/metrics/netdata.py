"""netdata with nothing but its cgroups plugin, which sees the cgroups of one worker's jobs and no others: as cheap as it can be."""

import re
from contextlib import contextmanager

from tests.benchmarks.cpu import with_children
from tests.benchmarks.ports import free_port
from tests.benchmarks.program import find, running, until

CONFIGURATION = """
[global]
    run as user = root
[directories]
    cache = {folder}/cache
    lib = {folder}/lib
    log = {folder}/log
    config = {folder}
[db]
    mode = ram
    update every = 1
[logs]
    debug = none
    access = none
    error = {folder}/log/error.log
[web]
    bind to = 127.0.0.1
    default port = {port}
[cloud]
    enabled = no
[ml]
    enabled = no
[health]
    enabled = no
[plugins]
    enable running new plugins = no
    cgroups = yes
{others}
[plugin:cgroups]
    update every = 1
    check for new cgroups every = 10
    use unified cgroups = {unified}
    enable systemd services = no
    search for cgroups in subpaths matching = / /fluster /fluster/{worker_id} /fluster/{worker_id}/*
    enable by default cgroups matching = !/fluster/{worker_id}/*/* /fluster/{worker_id}/* !*
    run script to rename cgroups matching = !*
"""
OTHERS = (
    "proc", "diskspace", "tc", "idlejitter", "timex", "checks", "apps", "statsd", "slabinfo", "netdata monitoring",
    "netdata monitoring extended", "python.d", "go.d", "charts.d", "perf", "ioping", "fping", "nfacct", "ebpf", "cups", "loopsleepms",
)  # fmt: skip


class Netdata:
    def __init__(self, process, url):
        self.process = process
        self.metrics = f"{url}/api/v1/allmetrics?format=prometheus"

    def pids(self):
        return with_children(self.process.pid)


@contextmanager
def watching(folder, *, worker_id, cgroup_version, containers):
    """netdata once it exports all of the containers. Raises Missing."""
    program = find("netdata")
    port = free_port()
    for name in ("cache", "lib", "log"):
        (folder / name).mkdir(parents=True)
    (folder / "netdata.conf").write_text(
        CONFIGURATION.format(
            folder=folder, port=port, worker_id=worker_id, unified="yes" if cgroup_version == 2 else "no",
            others="\n".join(f"    {each} = no" for each in OTHERS),
        )
    )  # fmt: skip
    command = [program, "-D", "-c", str(folder / "netdata.conf"), "-P", str(folder / "pid")]
    with running(command, log=folder / "out") as process:
        netdata = Netdata(process, f"http://127.0.0.1:{port}")
        until(netdata.metrics, lambda body: len(_charts(body)) >= containers, process=process, seconds=60)
        yield netdata


def _charts(body):
    """The cgroups that have a chart of memory."""
    return set(re.findall(rb'chart="(cgroup_[^".]+)\.mem"', body))
