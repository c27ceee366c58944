"""P2: what GET / costs the worker with a thousand jobs, beside the smallest answer of the same worker; and what of it is Jinja's."""

import time
from contextlib import contextmanager
from statistics import median
from unittest import mock

import anyio
import httpx2 as httpx
import jinja2
from jinja2.runtime import Macro
from loguru import logger

from fluster.app import open_worker
from fluster.config import Settings
from fluster.web.application import create_app
from tests.benchmarks.pages.ended import JOBS, remember_jobs
from tests.benchmarks.result import Result
from tests.benchmarks.worker import started


def measure(bench):
    folder, times = bench.folder(), bench.pick(50, 3)
    remember_jobs(folder)
    with (
        started(folder, runtime="fake", worker_id="bench-serving") as worker,
        httpx.Client(base_url=worker.url) as http,
    ):
        found = bench.interleave(
            {
                "page": lambda: median(_milliseconds(http, "/") for _ in range(times)),
                "health": lambda: median(_milliseconds(http, "/healthz") for _ in range(times)),
            }
        )
    logger.disable("fluster")  # the worker in this process says what it is
    try:
        whole, jinja = anyio.run(_inside, folder, bench.rounds, times)
    finally:
        logger.enable("fluster")
    what = f"GET / with {JOBS} jobs"
    yield Result("P2", what, "ms", found["page"], "GET /healthz of the same worker", found["health"], good="more")
    yield Result(
        "P2", "Jinja alone, of the same page without a socket", "ms", jinja, "all of the answer without a socket", whole, good="more"
    )  # fmt: skip


def _milliseconds(http, path):
    began = time.perf_counter()
    http.get(path).raise_for_status()
    return (time.perf_counter() - began) * 1000


async def _inside(folder, rounds, times):
    """(all of the answer, Jinja's part), in ms, a median for each round: the worker in this process, asked without a socket."""
    settings = Settings(
        state_dir=folder / "state", cache_dir=folder / "cache", runtime="fake", worker_id="bench-serving", log_level="WARNING"
    )  # fmt: skip
    whole, jinja = [], []
    async with open_worker(settings) as services:
        transport = httpx.ASGITransport(create_app(services))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            with _jinja_timed() as spent:
                for _ in range(rounds):
                    seen = []
                    for _ in range(times):
                        spent.clear()
                        began = time.perf_counter()
                        (await http.get("/")).raise_for_status()
                        seen.append((time.perf_counter() - began, sum(spent)))
                    whole.append(median(each for each, _ in seen) * 1000)
                    jinja.append(median(each for _, each in seen) * 1000)
    return whole, jinja


@contextmanager
def _jinja_timed():
    """A list that gets the seconds of each rendering: of a template, and of a macro that is called from outside of one."""
    spent, depth = [], 0

    def timed(function):
        def wrapper(*args, **more):
            nonlocal depth
            if depth:
                return function(*args, **more)
            depth += 1
            began = time.perf_counter()
            try:
                return function(*args, **more)
            finally:
                depth -= 1
                spent.append(time.perf_counter() - began)

        return wrapper

    with (
        mock.patch.object(jinja2.Template, "render", timed(jinja2.Template.render)),
        mock.patch.object(Macro, "_invoke", timed(Macro._invoke)),
    ):
        yield spent
