"""Followers in a process of their own: python -m tests.benchmarks.logs.follower_clients PORT JOB COUNT DEAF SECONDS.

Each is a bare socket. After every stretch of so many seconds a line of JSON tells how late the marked lines came, in milliseconds; `@<ns>@`
in a line says when it was written. DEAF ones more ask for the whole log and read nothing.
"""

import asyncio
import json
import re
import socket
import sys
import time

_MARK = re.compile(rb"@(\d{19})@")
_MARK_BYTES = 21


class Follower(asyncio.Protocol):
    def __init__(self, request, late):
        self._request = request
        self._late = late
        self._rest = b""

    def connection_made(self, transport):
        transport.write(self._request)

    def data_received(self, data):
        now = time.time_ns()
        data = self._rest + data
        end = 0
        for found in _MARK.finditer(data):
            self._late.append((now - int(found[1])) / 1e6)
            end = found.end()
        self._rest = data[max(end, len(data) - _MARK_BYTES + 1) :]


async def follow(port, job_id, count, deaf, seconds):
    late = []
    path = f"GET /api/jobs/{job_id}/logs/stream"
    head = "HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    silent = [_deaf(port, f"{path} {head}".encode()) for _ in range(deaf)]
    for _ in range(count):
        await asyncio.get_running_loop().create_connection(
            lambda: Follower(f"{path}?tail=0 {head}".encode(), late), "127.0.0.1", port
        )
    while True:
        late.clear()
        await asyncio.sleep(seconds)
        found = sorted(late)
        last = len(found) - 1
        figures = {"p50": found[last // 2], "p99": found[last * 99 // 100], "max": found[-1]} if found else {}
        print(json.dumps({"marks": len(found) / count / seconds, "deaf": len(silent), **figures}), flush=True)


def _deaf(port, request):
    """A connection of somebody who went away without closing it."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", port))
    connection.sendall(request)
    return connection


if __name__ == "__main__":
    port, job_id, count, deaf, seconds = sys.argv[1:]
    asyncio.run(follow(int(port), job_id, int(count), int(deaf), float(seconds)))
