"""/metrics of a real worker: the catalogue, both formats, and which jobs are in it."""

import builtins
import os
import re
import threading

import anyio
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from fluster.catalogue import CATALOGUE
from fluster.collectors import Format
from fluster.job import JobRequest

pytestmark = pytest.mark.anyio


async def test_metrics_hold_what_the_catalogue_says_in_both_formats(worker):
    async with worker() as w:
        await w.wait(
            await w.submit(
                "sh",
                "-c",
                "echo x",
                name='a "quoted"\\ name\n',
                resources={"memory": "64m", "cpu": 1, "maxProcesses": 9, "disk": "1g"},
            )
        )
        live = await w.submit("sleep", "600")
        with anyio.fail_after(20):
            while not re.search(f'fluster_job_memory_usage_bytes{{job_id="{live}"', await w.metrics()):
                await anyio.sleep(0.05)
        text = await w.http.get("/metrics", headers={"Accept": "text/plain"})
        openmetrics = await w.http.get(
            "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0", "Accept-Encoding": "gzip"}
        )
        assert openmetrics.headers["content-encoding"] == "gzip"
        assert openmetrics.headers["content-type"].startswith("application/openmetrics-text")
        for families in (list(parse_text(text.text)), list(parse_openmetrics(openmetrics.text))):
            ours = {family.name: family for family in families}
            known = {metric.family: metric for metric in CATALOGUE.values()}
            assert known.keys() == ours.keys()
            for name, family in ours.items():
                assert family.type == known[name].type
                assert family.documentation == known[name].help
                for sample in family.samples:
                    assert sample.labels.keys() - {"le"} == set(known[name].labels), sample
        names = {s.labels["name"] for f in parse_text(text.text) if f.name == "fluster_job_info" for s in f.samples}
        assert 'a "quoted"\\ name\n' in names
        done = await anyio.run_process(["promtool", "check", "metrics"], input=text.content, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


async def test_finished_jobs_leave_the_metrics_after_their_retention_and_totals_stay(worker):
    async with worker(runtime="fake", metrics_max_finished=2) as w:
        ids = [await w.submit("x") for _ in range(5)]
        for job_id in ids:
            await w.wait(job_id)
        metrics = await w.metrics()
        assert sum(f'job_id="{job_id}"' in metrics for job_id in ids) == 2
        assert 'fluster_jobs_finished_total{state="succeeded",reason="completed"} 5\n' in metrics
    async with worker(runtime="fake", metrics_retention=0.0) as w:
        job_id = (await w.wait(await w.submit("x")))["job_id"]
        assert job_id not in await w.metrics()


async def test_a_scrape_reads_nothing_but_what_proc_says_of_the_worker_itself(services, monkeypatch):
    async with services(stats_interval=0.05) as opened:
        await opened.manager.submit(JobRequest(name="live", command=("sleep", "600")), "live")
        with anyio.fail_after(20):
            while opened.manager.get("live").figures.memory_usage_bytes is None:
                await anyio.sleep(0.01)
        me, seen = threading.get_ident(), []

        def watched(module, name):
            real = getattr(module, name)

            def call(*args, **kwargs):
                if threading.get_ident() == me:
                    seen.append((name, str(args[0])))
                return real(*args, **kwargs)

            monkeypatch.setattr(module, name, call)

        for module, name in (
            (builtins, "open"),
            *((os, each) for each in ("open", "read", "pread", "stat", "scandir", "listdir")),
        ):
            watched(module, name)
        text = opened.exposition.render(Format.TEXT)
        monkeypatch.undo()
    assert b'fluster_job_memory_usage_bytes{job_id="live"}' in text
    assert [name for name, _ in seen].count("pread") == 1
    assert {(name, path) for name, path in seen if name != "pread"} <= {
        ("stat", "/proc/self/fd"),
        ("listdir", "/proc/self/fd"),
    }
