"""Talking to a worker from Python: `Client` for scripts, `AsyncClient` for programs with an event loop.

client = fluster.Client()
job = client.submit(train, args=(3,), memory="2g")
print(job.wait()["status"], job.result())
"""

from fluster.client.asynchronous import AsyncClient, AsyncJob
from fluster.client.synchronous import Client, Job

__all__ = ["AsyncClient", "AsyncJob", "Client", "Job"]
