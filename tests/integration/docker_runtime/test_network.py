"""Real bytes over the engine's bridge: what a job's interfaces carried is known while it runs and exactly once it is gone.

A payload goes by TCP to or from a server of the test on the bridge's gateway. Besides it the wire carries headers (66 bytes for up
to 64 KiB with segmentation left to the device, and for each acknowledgement), handshake, ARP and IPv6's own words.
"""

import ipaddress
import os
import socket
import subprocess
import threading

import anyio
import anyio.to_thread
import pytest

from fluster.errors import StartError
from fluster.netns import open_network
from tests.contract.conftest import until

pytestmark = [pytest.mark.anyio, pytest.mark.docker]
MB = 1_000_000
QUIET = 4096
"""Handshake, neighbours' talk and the end of a connection."""


class Server:
    """Takes all that comes, then sends `answer`, on the gateway of the engine's bridge."""

    def __init__(self, address):
        self.answer = b""
        self.received = 0
        self._listener = socket.create_server((address, 0))
        self.address, self.port = self._listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                while data := connection.recv(1 << 16):
                    self.received += len(data)
                connection.sendall(self.answer)

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def gateway(sdk, network):
    """The engine's own address on that network, which it does not always name: then the subnet's first one."""
    (addresses,) = sdk.inspect_network(network)["IPAM"]["Config"]
    return addresses.get("Gateway") or str(next(ipaddress.ip_network(addresses["Subnet"]).hosts()))


@pytest.fixture
def server(sdk):
    server = Server(gateway(sdk, "bridge"))
    yield server
    server.close()


def talk(server, *, send=0, after=""):
    """A job that sends `send` bytes, takes the answer, runs `after`."""
    program = (
        "import socket\n"
        f"with socket.create_connection(({server.address!r}, {server.port})) as c:\n"
        f"    left = {send}\n"
        "    while left: left -= c.send(b'x' * min(left, 1 << 16))\n"
        "    c.shutdown(socket.SHUT_WR)\n"
        "    while c.recv(1 << 16): pass\n"
    )
    return ["python3", "-c", f"{program}{after}\n"]


def network(figures):
    return figures.network_receive_bytes, figures.network_transmit_bytes


async def test_sent_bytes_are_exact_after_the_end(bench, server):
    result = await bench.run(talk(server, send=20 * MB))
    received, transmitted = network(result.figures)
    assert server.received == 20 * MB
    assert 20 * MB < transmitted < 20 * MB * 1.05 + QUIET
    assert 0 < received < 20 * MB * 0.06 + QUIET


async def test_received_bytes_are_exact_after_the_end(bench, server):
    server.answer = b"y" * 20 * MB
    result = await bench.run(talk(server))
    received, transmitted = network(result.figures)
    assert 20 * MB < received < 20 * MB * 1.05 + QUIET
    assert 0 < transmitted < 20 * MB * 0.06 + QUIET


async def test_many_small_packets_are_counted_with_their_headers(bench, server):
    count, size = 20_000, 10
    program = (
        "import socket\n"
        "with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:\n"
        f"    for _ in range({count}): s.sendto(b'x' * {size}, ({server.address!r}, 9))\n"
    )
    result = await bench.run(["python3", "-c", program])
    payload_and_headers = count * (size + 8 + 20 + 14)
    _, transmitted = network(result.figures)
    assert payload_and_headers <= transmitted < payload_and_headers + QUIET


async def test_loopback_within_the_job_does_not_count(bench):
    program = (
        "import socket, threading\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "def take():\n"
        "    connection, _ = server.accept()\n"
        "    while connection.recv(1 << 16): pass\n"
        "thread = threading.Thread(target=take); thread.start()\n"
        "with socket.create_connection(server.getsockname()) as c: c.sendall(b'x' * 10_000_000)\n"
        "thread.join()\n"
    )
    result = await bench.run(["python3", "-c", program])
    assert max(network(result.figures)) < QUIET


async def test_live_figures_are_there_while_it_runs_and_the_last_ones_complete_them(bench, server):
    after = "import time; print('sent', flush=True); time.sleep(60)"
    async with bench.started(talk(server, send=5 * MB, after=after)) as execution:
        reader = bench.runtime.reader(execution)
        log = execution.spec.log_path
        await until(lambda: log.exists() and b"sent" in log.read_bytes())
        reader.sample()
        live = network(reader.figures())
        assert 5 * MB < live[1] < 5 * MB * 1.05 + QUIET
        await bench.runtime.stop(execution, 0)
        result = await bench.runtime.wait(execution)
        last = network(result.figures)
        assert live[0] <= last[0] <= live[0] + QUIET
        assert live[1] <= last[1] <= live[1] + QUIET
        reader.sample()
        assert network(reader.figures()) == last


async def test_a_job_of_milliseconds_is_accounted_like_a_long_one(bench, server):
    """By the time the engine has answered its start such a job is over."""
    address = f"{server.address} {server.port}"
    for number in range(5):
        command = f"head -c 100000 /dev/zero | nc {address}"
        result = await bench.run(command, job_id=f"short{number}")
        assert 100_000 < network(result.figures)[1] < 100_000 * 1.1 + QUIET
    result = await bench.run(["true"], job_id="none")
    assert None not in network(result.figures)
    assert max(network(result.figures)) < QUIET


async def test_jobs_at_the_same_time_have_each_their_own(bench, server):
    amounts = {f"job{number}": number * MB for number in range(1, 6)}
    found = {}

    async def run(job_id):
        found[job_id] = network((await bench.run(talk(server, send=amounts[job_id]), job_id=job_id)).figures)

    async with anyio.create_task_group() as tasks:
        for job_id in amounts:
            tasks.start_soon(run, job_id)
    for job_id, amount in amounts.items():
        assert amount < found[job_id][1] < amount * 1.05 + QUIET


async def with_network_mode(bench, sdk, monkeypatch, mode, command):
    """The figures of a job in a network of another kind than the runtime gives by itself."""
    make = bench.runtime._client.create_host_config
    monkeypatch.setattr(
        bench.runtime._client,
        "create_host_config",
        lambda **each: make(**(each | {"network_mode": mode, "port_bindings": {}})),
    )
    return network((await bench.run(command)).figures)


async def test_a_job_without_network_has_carried_nothing(bench, sdk, monkeypatch):
    assert await with_network_mode(bench, sdk, monkeypatch, "none", ["sleep", "0.2"]) == (0, 0)


async def test_a_job_in_the_hosts_network_has_no_figures_of_its_own(bench, sdk, monkeypatch):
    assert await with_network_mode(bench, sdk, monkeypatch, "host", ["sleep", "0.2"]) == (None, None)


async def test_all_networks_of_a_job_count_also_those_that_were_taken_away(bench, sdk, server):
    """A second network comes while the job runs, the first one is taken away with what it carried."""
    name = f"fluster-test-{os.getpid()}"
    made = sdk.create_network(name, driver="bridge")["Id"]
    try:
        second = Server(gateway(sdk, made))
        program = (
            "import socket, time\n"
            "def send(address, count):\n"
            "    while True:\n"
            "        try: c = socket.create_connection(address, timeout=5); break\n"
            "        except OSError: time.sleep(0.02)\n"
            "    with c:\n"
            "        c.sendall(b'x' * count); c.shutdown(socket.SHUT_WR)\n"
            "        while c.recv(1 << 16): pass\n"
            f"send(({server.address!r}, {server.port}), 3_000_000)\n"
            "print('first', flush=True)\n"
            f"send(({second.address!r}, {second.port}), 2_000_000)\n"
        )
        async with bench.started(["python3", "-c", program]) as execution:
            log = execution.spec.log_path
            await until(lambda: log.exists() and b"first" in log.read_bytes())
            first = sdk.networks(names=["bridge"])[0]["Id"]
            await anyio.to_thread.run_sync(sdk.disconnect_container_from_network, execution.handle, first)
            await anyio.to_thread.run_sync(sdk.connect_container_to_network, execution.handle, made)
            result = await bench.runtime.wait(execution)
        assert second.received == 2_000_000
        _, transmitted = network(result.figures)
        # On its way the job may knock at the second server through the first network, in vain.
        assert 5 * MB < transmitted < 5 * MB * 1.05 + 2 * QUIET
        second.close()
    finally:
        sdk.remove_network(made)


async def test_the_next_worker_goes_on_with_the_counters(bench, server):
    after = "import time; print('sent', flush=True)\nwhile not open('/fluster/output/go').read(): time.sleep(0.02)"
    spec = bench.spec(talk(server, send=2 * MB, after=after))
    (spec.workspace.output / "go").write_text("")
    handle = (await bench.runtime.start(spec)).handle
    await until(lambda: spec.log_path.exists() and b"sent" in spec.log_path.read_bytes())
    await bench.runtime.close()
    bench.runtime = bench.make()
    await bench.runtime.open()
    found = await bench.runtime.recover({"job": spec}, {"job": handle})
    reader = bench.runtime.reader(found["job"])
    reader.sample()
    assert 2 * MB < network(reader.figures())[1] < 2 * MB * 1.05 + QUIET
    (spec.workspace.output / "go").write_text("go")
    result = await bench.runtime.wait(found["job"])
    assert 2 * MB < network(result.figures)[1] < 2 * MB * 1.05 + QUIET
    await bench.runtime.remove(found["job"])


async def test_a_container_that_ended_before_its_network_was_looked_at_has_no_figures(bench):
    spec = bench.spec("true")
    handle = (await bench.runtime.start(spec)).handle
    await until(lambda: not bench.runtime._client.inspect_container(handle)["State"]["Running"])
    await bench.runtime.close()
    bench.runtime = bench.make()
    await bench.runtime.open()
    found = await bench.runtime.recover({"job": spec}, {"job": handle})
    result = await bench.runtime.wait(found["job"])
    assert network(result.figures) == (None, None)
    await bench.runtime.remove(found["job"])


def opened_in_namespaces():
    """This process's descriptors of /proc/net/dev and of rtnetlink."""
    tables = links = 0
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{descriptor}")
            if target.startswith("socket:"):
                with socket.socket(fileno=os.dup(int(descriptor))) as duplicate:
                    links += duplicate.family == socket.AF_NETLINK
            tables += target.endswith("/net/dev")
        except OSError:
            continue
    return tables, links


async def test_two_descriptors_are_kept_for_a_job_and_none_after_it(bench):
    assert opened_in_namespaces() == (0, 0)
    async with bench.started(["sleep", "60"]) as execution:
        assert opened_in_namespaces() == (1, 1)
        await bench.runtime.stop(execution, 0)
        await bench.runtime.wait(execution)
    assert opened_in_namespaces() == (0, 0)
    with pytest.raises(StartError):
        await bench.run(["/no/such/program"])
    assert opened_in_namespaces() == (0, 0)


async def test_an_overflow_of_the_kernels_messages_loses_nothing_that_is_still_there(bench, server, monkeypatch):
    """Interfaces come and go faster than anyone listens: the list is asked for again, the sum stands."""
    after = "import time; print('sent', flush=True); time.sleep(60)"
    async with bench.started(talk(server, send=1 * MB, after=after)) as execution:
        log = execution.spec.log_path
        await until(lambda: log.exists() and b"sent" in log.read_bytes())
        pid = bench.runtime._client.inspect_container(execution.handle)["State"]["Pid"]
        reader = await anyio.to_thread.run_sync(open_network, f"/proc/{pid}/ns/net")
        try:
            reader._news.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)
            before, lost = reader.total, []
            note = reader._account.messages_lost
            monkeypatch.setattr(reader._account, "messages_lost", lambda: (lost.append(True), note()))
            inside = ["nsenter", f"--net=/proc/{pid}/ns/net", "ip"]
            for number in range(20):
                subprocess.run([*inside, "link", "add", f"a{number}", "type", "veth", "peer", f"b{number}"], check=True)
            for number in range(20):
                subprocess.run([*inside, "link", "del", f"a{number}"], check=True)
            reader.sample()
            assert lost
            assert before[1] <= reader.total[1] <= before[1] + QUIET
        finally:
            reader.close()
        await bench.runtime.stop(execution, 0)
        result = await bench.runtime.wait(execution)
        assert MB < network(result.figures)[1] < MB * 1.05 + QUIET
