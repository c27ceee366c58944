"""What the engine is asked for: every promise about a container is an argument here."""

import pytest

from fluster.job import Limits
from fluster.runtime import ExecutionSpec, Workspace
from fluster.runtime.docker.convert import (
    container_name,
    create_arguments,
    engine_time,
    host_config,
    log_config,
    log_file,
)


@pytest.fixture
def spec(tmp_path):
    def make(**changes):
        workspace = Workspace(root=tmp_path)
        workspace.output.mkdir(exist_ok=True)
        values = {
            "job_id": "a.b-c_1",
            "worker_id": "w1",
            "command": ("python", "-c", "print('x y')"),
            "env": {"A": "1"},
            "workspace": workspace,
            "log_path": tmp_path / "job.log",
            "image": "base:1",
            "limits": Limits(memory_bytes=64 << 20, cpu_millicores=1500, max_processes=32),
            "ports": {"http": 18080},
        }
        return ExecutionSpec(**(values | changes))

    return make


def config(spec, **changes):
    values = {"cgroup_parent": None, "engine_limits": spec.limits, "network": None, "log": {"type": "x"}}
    return host_config(spec, **(values | changes))


def test_a_container_has_no_privileges_and_an_init(spec):
    found = config(spec())
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges"]
    assert found["init"] is True
    assert found["log_config"] == {"type": "x"}


def test_a_log_is_never_rotated_and_kept_by_the_driver_that_keeps_any_bytes_where_there_is_one():
    engine = {"Plugins": {"Log": ["awslogs", "json-file", "local"]}, "DockerRootDir": "/data"}
    found = log_config(engine)
    assert found == {"type": "local", "config": {"max-size": "100g", "max-file": "1", "compress": "false"}}
    assert str(log_file(engine, "5ab0")) == "/data/containers/5ab0/local-logs/container.log"
    for other in ({"Plugins": {"Log": ["k8s-file", "journald"]}}, {"Plugins": None}, {}):
        assert log_config(other) == {"type": "json-file", "config": {}}


def test_limits_are_the_engines_only_where_it_is_to_enforce_them(spec):
    found = config(spec())
    assert found["mem_limit"] == found["memswap_limit"] == 64 << 20
    assert found["nano_cpus"] == 1_500_000_000
    assert found["pids_limit"] == 32
    ours = config(spec(), engine_limits=Limits(), cgroup_parent="/fluster/w1/job")
    assert not {"mem_limit", "memswap_limit", "nano_cpus", "pids_limit"} & ours.keys()
    assert ours["cgroup_parent"] == "/fluster/w1/job"


def test_what_is_not_limited_is_not_mentioned(spec):
    found = config(spec(limits=Limits()))
    assert not {"mem_limit", "memswap_limit", "nano_cpus", "pids_limit", "cgroup_parent", "network_mode"} & found.keys()


def test_ports_are_published_on_loopback_under_the_same_number(spec):
    assert config(spec())["port_bindings"] == {"18080/tcp": ("127.0.0.1", 18080)}
    assert create_arguments(spec())["ports"] == [(18080, "tcp")]


def test_output_is_writable_and_a_call_is_read_only(spec):
    made = spec()
    assert list(config(made)["binds"].values()) == [{"bind": "/fluster/output", "mode": "rw"}]
    made.workspace.call.mkdir()
    assert config(made)["binds"][str(made.workspace.call)] == {"bind": "/fluster/call", "mode": "ro"}


def test_the_jobs_command_runs_not_the_images_entrypoint(spec):
    found = create_arguments(spec())
    assert found["command"] == ["python", "-c", "print('x y')"]
    assert found["entrypoint"] == []
    assert found["working_dir"] == "/workspace"
    assert found["environment"]["A"] == "1"
    assert found["tty"] is False
    assert found["labels"] == {"fluster.job_id": "a.b-c_1", "fluster.worker_id": "w1"}
    assert found["name"] == container_name("w1", "a.b-c_1") == "fluster-w1-a.b-c_1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:01Z", 10**9),
        ("1970-01-01T00:00:00.5Z", 500_000_000),
        ("2026-11-23T17:08:51.379364092Z", 1_795_453_731_379_364_092),
        ("0001-01-01T00:00:00Z", 0),
    ],
)
def test_the_engines_times(text, expected):
    assert engine_time(text) == expected


def test_a_container_gets_the_gpus_of_its_job_and_only_those(spec):
    request = config(spec(gpus=("GPU-a", "GPU-b")))["device_requests"]
    assert request == [
        {"Driver": "nvidia", "Count": 0, "DeviceIDs": ["GPU-a", "GPU-b"], "Capabilities": [["gpu"]], "Options": {}}
    ]
    assert "device_requests" not in config(spec())


@pytest.mark.parametrize(("gpus", "seen"), [(("GPU-a",), "GPU-a"), ((), "void")])
def test_no_variable_of_image_or_request_gives_a_container_another_gpu(spec, gpus, seen):
    made = spec(gpus=gpus, env={"NVIDIA_VISIBLE_DEVICES": "all"})
    assert create_arguments(made, hide_gpus=True)["environment"]["NVIDIA_VISIBLE_DEVICES"] == seen
    assert create_arguments(made)["environment"]["NVIDIA_VISIBLE_DEVICES"] == "all"
