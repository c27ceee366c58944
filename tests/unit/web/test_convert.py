import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st

from fluster.errors import InvalidArgumentError
from fluster.job import Build, EndReason, Figures, GpuFigures, Job, JobRequest, JobState, Limits, Source
from fluster.logs import LogEntry
from fluster.logs.position import Position
from fluster.v1 import cluster_pb2 as pb
from fluster.web.rpc.convert import entry_message, job_request, log_filter, state_value, status_message


def message(**changes):
    return pb.RunJobRequest(**{"command": ["true"], **changes})


def environment(**changes):
    return message(environment=pb.EnvironmentConfig(**changes))


def resources(**changes):
    return message(resources=pb.ResourceSpec(**changes))


def test_a_whole_submission_arrives():
    request = job_request(
        message(
            command=["python", "a.py"],
            name="n",
            environment=pb.EnvironmentConfig(
                pip_packages=["numpy>=2"], env_vars={"A": "b"}, extras=["gpu"], base_image="r.example/a/b:1@sha256:0"
            ),
            bundle_gcs_path="gs://bucket/b.zip",
            bundle_sha256="a" * 64,
            resources=pb.ResourceSpec(cpu=2, memory="1.5g", disk="2GiB", max_processes=7),
            build=pb.BuildOptions(timeout_seconds=60, resources=pb.ResourceSpec(memory="1g")),
            timeout_seconds=9,
            ports=["http", "_x1"],
            python_version="3.12",
            grace_seconds=0,
        )
    )
    assert (request.name, request.command) == ("n", ("python", "a.py"))
    assert (request.bundle, request.bundle_sha256) == ("gs://bucket/b.zip", "a" * 64)
    assert request.limits == Limits(cpu_millicores=2000, memory_bytes=3 << 29, max_processes=7, disk_bytes=2 << 30)
    assert request.build_limits == Limits(memory_bytes=1 << 30)
    assert (request.timeout_seconds, request.build_timeout_seconds, request.grace_seconds) == (9, 60, 0)
    assert (request.ports, request.environment.python_version) == (("http", "_x1"), "3.12")
    assert request.environment.base_image == "r.example/a/b:1@sha256:0"


def test_what_is_left_out_is_no_limit_and_the_default_grace():
    request = job_request(message())
    assert request.limits == request.build_limits == Limits()
    assert (request.timeout_seconds, request.grace_seconds, request.bundle, request.entrypoint) == (
        None,
        10,
        None,
        None,
    )


def test_millicores_win_over_cores():
    assert job_request(resources(cpu=4, cpu_millicores=1500)).limits.cpu_millicores == 1500


def test_a_workspace_is_the_bundle_under_its_other_name():
    assert job_request(environment(workspace="file:///a.zip")).bundle == "file:///a.zip"
    both = message(bundle_gcs_path="file:///a.zip", environment=pb.EnvironmentConfig(workspace="file:///a.zip"))
    assert job_request(both).bundle == "file:///a.zip"


@pytest.mark.parametrize(
    ("command", "name"), [(["/usr/bin/python3", "x"], "python3"), (["a/"], "a/"), (["sh"], "sh"), ([], "call")]
)
def test_a_job_without_a_name_is_called_after_its_program(command, name):
    made = pb.RunJobRequest(command=command, serialized_entrypoint=b"" if command else b"x")
    assert job_request(made).name == name


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (pb.RunJobRequest(), "command"),
        (message(serialized_entrypoint=b"x"), "command"),
        (message(command=["", "x"]), "command"),
        (message(command=["a", "b\0"]), "command"),
        (message(job_id="../x"), "job_id"),
        (message(job_id="-x"), "job_id"),
        (message(job_id="x" * 129), "job_id"),
        (message(job_id="x\n"), "job_id"),
        (message(name="x" * 257), "name"),
        (message(bundle_sha256="A" * 64), "bundle_sha256"),
        (message(bundle_sha256="a" * 63), "bundle_sha256"),
        (message(python_version="2.7"), "python_version"),
        (message(python_version="3.12\n"), "python_version"),
        (message(timeout_seconds=-1), "timeout_seconds"),
        (message(timeout_seconds=2**31 - 1), "timeout_seconds"),
        (message(grace_seconds=-1), "grace_seconds"),
        (message(build=pb.BuildOptions(timeout_seconds=-1)), "build.timeout_seconds"),
        (message(build=pb.BuildOptions(resources=pb.ResourceSpec(memory="1"))), "build.resources.memory"),
        (message(ports=["1a"]), "ports"),
        (message(ports=["a-b"]), "ports"),
        (message(ports=[""]), "ports"),
        (message(ports=["HTTP", "http"]), "ports"),
        (message(ports=[f"p{number}" for number in range(65)]), "ports"),
        (message(bundle_gcs_path="a", environment=pb.EnvironmentConfig(workspace="b")), "environment.workspace"),
        (environment(env_vars={"": "x"}), "environment.env_vars"),
        (environment(env_vars={"A=B": "x"}), "environment.env_vars"),
        (environment(env_vars={"A": "x\0"}), "environment.env_vars"),
        (environment(pip_packages=["--index-url=x"]), "environment.pip_packages"),
        (environment(pip_packages=[" -r x"]), "environment.pip_packages"),
        (environment(pip_packages=["a\r\n-r x"]), "environment.pip_packages"),
        (environment(extras=[" "]), "environment.extras"),
        (environment(base_image="a\nRUN x"), "environment.base_image"),
        (environment(base_image="--platform=x"), "environment.base_image"),
        (resources(memory="512"), "resources.memory"),
        (resources(memory="1x"), "resources.memory"),
        (resources(memory="-1g"), "resources.memory"),
        (resources(disk="much"), "resources.disk"),
        (resources(cpu=-1), "resources.cpu"),
        (resources(cpu=2**31 - 1), "resources.cpu"),
        (resources(cpu_millicores=-1), "resources.cpu_millicores"),
        (resources(max_processes=-1), "resources.max_processes"),
        (resources(gpus=-1), "resources.gpus"),
    ],
)
def test_what_cannot_be_used_is_refused_by_the_name_of_its_field(bad, field):
    with pytest.raises(InvalidArgumentError) as refused:
        job_request(bad)
    assert refused.value.field == field
    assert str(refused.value).startswith(f"{field}: ")
    assert "\n" not in str(refused.value)


@given(st.builds(pb.RunJobRequest, command=st.lists(st.text(max_size=5), max_size=3), job_id=st.text(max_size=9), name=st.text(max_size=9),
    timeout_seconds=st.integers(-(2**31), 2**31 - 1), ports=st.lists(st.text(max_size=5), max_size=3),
    resources=st.builds(pb.ResourceSpec, cpu=st.integers(-(2**31), 2**31 - 1), cpu_millicores=st.integers(-(2**31), 2**31 - 1),
        memory=st.text(max_size=6), disk=st.text(max_size=6), max_processes=st.integers(-(2**31), 2**31 - 1))))  # fmt: skip
def test_what_is_accepted_can_be_shown_and_the_rest_is_a_refusal(submission):
    try:
        request = job_request(submission)
    except InvalidArgumentError as error:
        assert error.field
        return
    status = status_message(Job(id="j", request=request, worker_id="w", submitted_ns=1))
    assert status.limits.cpu_millicores == (request.limits.cpu_millicores or 0)


def test_the_two_enums_agree():
    for state in JobState:
        assert pb.JobState.Name(state_value(state)) == f"JOB_STATE_{state.name}"
    assert len(JobState) == len(pb.JobState.values())


def test_a_finished_job_is_shown_with_rounded_and_exact_figures():
    job = Job(
        id="j",
        request=JobRequest(name="n", command=("x",), limits=Limits(cpu_millicores=1500, memory_bytes=64 << 20)),
        worker_id="w",
        submitted_ns=1_000_000,
        build_started_ns=2_999_999,
        build_finished_ns=3_000_000,
        run_started_ns=4_000_000,
        finished_ns=5_000_000,
        state=JobState.FAILED,
        end_reason=EndReason.OOM,
        exit_code=0,
        error="e",
        ports={"http": 8000},
        build=Build(image_tag="t", from_cache=True),
        figures=Figures(
            memory_usage_bytes=int(1.6 * 2**20),
            memory_peak_bytes=2**20,
            memory_peak_source=Source.KERNEL,
            cpu_cores=1.234,
            cpu_user_seconds=0.0,
            oom_kills=0,
        ),
    )
    shown = status_message(job)
    assert (shown.job_id, shown.name, shown.state, shown.end_reason) == ("j", "n", pb.JOB_STATE_FAILED, "oom")
    assert shown.HasField("exit_code")
    assert (shown.submitted_at_ms, shown.started_at_ms, shown.run_started_at_ms, shown.finished_at_ms) == (1, 2, 4, 5)
    assert (shown.ports["http"], shown.limits.memory, shown.limits.cpu_millicores) == (8000, f"{64 << 20}b", 1500)
    build = shown.build_metrics
    assert (build.build_started_ms, build.build_finished_ms, build.from_cache, build.image_tag) == (2, 3, True, "t")
    usage = shown.resource_usage
    assert (usage.memory_mb, usage.memory_peak_mb, usage.cpu_millicores, usage.cpu_percent) == (2, 1, 1234, 123)
    assert (usage.memory_peak_bytes, usage.memory_peak_source) == (2**20, "kernel")
    assert usage.HasField("oom_kills")
    assert usage.HasField("cpu_user_seconds")
    assert not usage.HasField("cpu_system_seconds")


def test_a_job_that_waits_knows_no_figures_and_no_exit_code():
    shown = MessageToDict(status_message(Job(id="j", request=JobRequest(name="n"), worker_id="w", submitted_ns=0)))
    assert "exitCode" not in shown
    assert "resourceUsage" in shown
    assert not shown["resourceUsage"]


def test_any_bytes_of_a_line_are_shown():
    shown = entry_message(LogEntry(1_999_999, "stderr", b"a\xff\0b", 3, Position("j", 1, 12, 4), truncated=True))
    assert (shown.timestamp_ms, shown.timestamp_ns, shown.source, shown.sequence) == (1, 1_999_999, "stderr", 3)
    assert (shown.data, shown.cursor, shown.truncated) == ("a�\0b", "j1-c-4", True)


def test_a_log_filter_arrives():
    wanted = log_filter(
        pb.FetchLogsFilter(
            regex="a+", start_line=-3, start_ms=5, end_ms=6, max_lines=7, sources=["build"], cursor="j0-0-0"
        )
    )
    assert (wanted.regex, wanted.start_line, wanted.since_ns, wanted.until_ns) == ("a+", -3, 5_000_000, 6_000_000)
    assert (wanted.max_lines, wanted.sources, wanted.cursor) == (7, frozenset({"build"}), "j0-0-0")
    assert log_filter(pb.FetchLogsFilter()).since_ns is None


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"regex": "("}, "filter.regex"),
        ({"sources": ["x"]}, "filter.sources"),
        ({"cursor": "x"}, "filter.cursor"),
        ({"start_ms": -1}, "filter.start_ms"),
        ({"end_ms": -1}, "filter.end_ms"),
        ({"max_lines": -1}, "filter.max_lines"),
    ],
)
def test_a_bad_log_filter_is_refused_by_the_name_of_its_field(bad, field):
    with pytest.raises(InvalidArgumentError) as refused:
        log_filter(pb.FetchLogsFilter(**bad))
    assert refused.value.field == field
    assert str(refused.value).startswith(f"{field}: ")


def test_gpus_go_in_and_come_out_with_their_figures():
    wanted = job_request(message(command=["x"], resources=pb.ResourceSpec(gpus=2)))
    assert wanted.limits.gpus == 2
    known = GpuFigures(uuid="GPU-a", utilization_ratio=0.5, memory_used_bytes=1, memory_peak_bytes=2)
    job = Job(
        id="j", request=wanted, worker_id="w", submitted_ns=1, gpus=("GPU-a", "GPU-b"),
        figures=Figures(gpus=(known, GpuFigures(uuid="GPU-b"))),
    )  # fmt: skip
    shown = status_message(job)
    assert (shown.limits.gpus, list(shown.gpus)) == (2, ["GPU-a", "GPU-b"])
    first, second = shown.resource_usage.gpus
    assert (first.uuid, first.utilization_ratio, first.memory_used_bytes, first.memory_peak_bytes) == (
        "GPU-a",
        0.5,
        1,
        2,
    )
    assert not second.HasField("utilization_ratio")
