import dataclasses

import jsonschema
import orjson
import pytest
from openapi_spec_validator import validate

from fluster.job import (
    Build,
    EndReason,
    EnvironmentRequest,
    Figures,
    GpuFigures,
    Job,
    JobRequest,
    JobState,
    Limits,
    LogCounts,
    Sample,
    Source,
)
from fluster.logs import LogEntry
from fluster.logs.position import Position
from fluster.web.api.documents import entry_document, figures_document, job_document, job_row, stats_document
from fluster.web.api.openapi import openapi_document
from fluster.web.api.routes import ApiRoute


async def handler(_request):
    raise NotImplementedError


DOCUMENT = openapi_document([ApiRoute(method="GET", path="/x/{name:path}", handler=handler, summary="x", answer="Job")])
WAITING = Job(id="j", request=JobRequest(name="n", command=("x",)), worker_id="w", submitted_ns=1_500_000)
DONE = WAITING.evolve(
    state=JobState.PENDING,
    build_started_ns=2_000_000,
    build_finished_ns=5_900_000,
    run_started_ns=6_000_000,
    finished_ns=7_000_000,
    exit_code=0,
    end_reason=EndReason.COMPLETED,
    ports={"http": 8000},
    gpus=("GPU-a",),
    build=Build(image_tag="t", from_cache=True, bundle_sha256="a" * 64),
    figures=Figures(
        sampled_at_ns=7_000_000,
        memory_usage_bytes=0,
        memory_peak_bytes=300 << 20,
        memory_peak_source=Source.KERNEL,
        cpu_cores=0.5,
        cpu_user_seconds=0.25,
        gpus=(GpuFigures(uuid="GPU-a", memory_peak_bytes=5),),
    ),
    logs=LogCounts(lines={"stdout": 2}, bytes={"stdout": 9}, last_timestamp_ns=6_500_000),
    request=JobRequest(
        name="n",
        entrypoint=b"",
        environment=EnvironmentRequest(env_vars={"SECRET": "hunter2"}),
        limits=Limits(cpu_millicores=1500, gpus=1),
        timeout_seconds=9.0,
    ),
)


def check(document, schema):
    """As a client sees it: through JSON."""
    seen = orjson.loads(orjson.dumps(document))
    jsonschema.validate(seen, {"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]})
    return seen


def test_the_description_is_valid():
    validate(DOCUMENT)
    assert "/x/{name}" in DOCUMENT["paths"]


@pytest.mark.parametrize("job", [WAITING, DONE], ids=["waiting", "done"])
def test_rows_and_documents_are_as_described(job):
    row = check(job_row(job), "JobRow")
    document = check(job_document(job, [Sample(1, None, 0.5, 3, 7)]), "Job")
    assert {key: row[key] for key in row.keys() & document.keys()} == {
        key: document[key] for key in row.keys() & document.keys()
    }
    assert document["samples"] == [
        {"timestamp": 1, "memory_bytes": None, "cpu_cores": 0.5, "processes": 3, "disk_bytes": 7}
    ]


def test_an_unknown_figure_or_time_is_null():
    row = job_row(WAITING)
    for key in ("exit_code", "memory_mb", "memory_peak_mb", "cpu_percent", "process_count", "disk_mb", "started_at", "finished_at",
                "build_from_cache", "build_image_tag", "error", "end_reason"):  # fmt: skip
        assert row[key] is None, key
    assert row["submitted_at"] == 1
    assert job_document(WAITING)["build"]["duration_ms"] is None


def test_zero_is_zero():
    row = job_row(DONE)
    assert (row["exit_code"], row["memory_mb"], row["cpu_percent"], row["memory_peak_mb"]) == (0, 0, 50, 300)


def test_a_document_tells_everything_but_values_of_the_environment():
    document = check(job_document(DONE), "Job")
    assert (document["started_at"], document["run_started_at"], document["finished_at"]) == (2, 6, 7)
    assert document["build"] == {
        "started_ms": 2, "finished_ms": 5, "duration_ms": 3, "from_cache": True, "image_tag": "t", "bundle_sha256": "a" * 64
    }  # fmt: skip
    assert (document["call"], document["command"]) == (True, [])
    assert document["limits"]["cpu_cores"] == 1.5
    assert document["limits"]["timeout_seconds"] == 9
    assert document["logs"] == {
        "lines": {"stdout": 2},
        "bytes": {"stdout": 9},
        "lost": {},
        "retired": {},
        "dropped_lines": 0,
        "last_at": 6,
    }
    assert document["environment"]["names"] == ["SECRET"]
    assert b"hunter2" not in orjson.dumps([document, job_row(DONE)])


def test_credentials_in_what_was_asked_for_are_masked():
    request = JobRequest(
        name="n", command=("curl", "--token", "s3cret", "https://u:s3cret@host/"), bundle="https://u:s3cret@host/b.zip?token=s3cret&page=1",
        environment=EnvironmentRequest(pip_packages=("numpy", "x @ git+https://u:s3cret@host/x"), base_image="https://u:s3cret@host/i"),
    )  # fmt: skip
    job = WAITING.evolve(request=request)
    document = check(job_document(job), "Job")
    assert document["command"] == ["curl", "--token", "***", "https://***@host/"]
    assert document["bundle"] == "https://***@host/b.zip?token=***&page=1"
    assert document["environment"]["pip_packages"] == ["numpy", "x @ git+https://***@host/x"]
    assert document["environment"]["base_image"] == "https://***@host/i"
    assert b"s3cret" not in orjson.dumps([document, job_row(job)])


def test_every_figure_is_in_the_document():
    names = {each.name for each in dataclasses.fields(Figures)} - {"sampled_at_ns"}
    assert figures_document(Figures()).keys() == names | {"sampled_at"}


def test_gpus_are_asked_for_assigned_and_measured():
    document = job_document(DONE)
    assert (document["limits"]["gpus"], document["gpus"]) == (1, ["GPU-a"])
    assert document["resources"]["gpus"] == [
        {"uuid": "GPU-a", "utilization_ratio": None, "memory_used_bytes": None, "memory_peak_bytes": 5}
    ]
    assert (job_row(WAITING)["limits"]["gpus"], job_row(WAITING)["gpus"]) == (0, [])


def test_every_state_is_counted():
    counts = dict.fromkeys((state for state in JobState if state), 2)
    document = stats_document(counts)
    assert document["completed"] == 10
    assert document.keys() == {state.label for state in JobState if state} | {"completed"}


def test_any_line_is_json():
    entry = LogEntry(
        1_795_453_731_379_364_092,
        "stdout",
        b"\x1b[1m\xff\0</script>\xe2\x80\xa8",
        3,
        Position("j", 1, 12, 4),
        truncated=True,
    )
    document = check([entry_document(entry)], "LogEntries")[0]
    assert document["time"] == "2026-11-23T17:08:51.379364092Z"
    assert (document["timestamp"], document["timestamp_ns"]) == (1_795_453_731_379, "1795453731379364092")
    assert document["data"] == "\x1b[1m�\0</script>\u2028"
