from fluster.job import Build, EnvironmentRequest, JobRequest, Limits
from fluster.web.pages.facts import command, facts, variables
from tests.unit.pages.jobs import GIB, job


def told(request, **more):
    return {fact.name: fact.text for fact in facts(job(request=request, **more))}


def test_what_was_not_asked_for_is_left_out():
    assert told(JobRequest(name="n", command=("true",))) == {"Timeout": "none", "Grace": "10.0 s", "Worker": "w"}


def test_what_was_asked_for_is_told_in_words():
    request = JobRequest(
        name="n", command=("python", "a b.py"), bundle_sha256="ab" * 32, timeout_seconds=90.0, grace_seconds=5.0,
        environment=EnvironmentRequest(extras=("gpu",), pip_packages=("numpy==2", "torch"), python_version="3.12"),
        limits=Limits(cpu_millicores=1000, memory_bytes=4 * GIB, max_processes=64, disk_bytes=GIB, gpus=2),
    )  # fmt: skip
    build = Build(image_tag="fluster/env:3f", from_cache=True, bundle_sha256="cd" * 32)
    found = told(request, build=build, ports={"web": 8123}, gpus=("GPU-a",))
    assert found == {
        "Image": "fluster/env:3f", "From cache": "yes", "Bundle SHA-256": "cdcdcdcdcdcd", "Python": "3.12", "Extras": "gpu",
        "Packages": "numpy==2, torch", "Ports": "web 8123", "GPUs": "GPU-a", "Timeout": "1 min 30 s", "Grace": "5.0 s", "Worker": "w",
        "Limits": "memory 4.0 GiB, 1 core, 64 processes, disk 1.0 GiB, 2 GPUs",
    }  # fmt: skip
    assert [fact.title for fact in facts(job(request=request, build=build)) if fact.name == "Bundle SHA-256"] == [
        "cd" * 32
    ]
    assert command(job(request=request)) == "python 'a b.py'"
    assert command(job(request=JobRequest(name="n", entrypoint=b""))) == "a pickled call"


def test_credentials_do_not_leave_the_worker():
    request = JobRequest(
        name="n", command=("curl", "https://user:hunter2@host/"), bundle="https://user:hunter2@host/b.zip",
        environment=EnvironmentRequest(env_vars={"B_TOKEN": "hunter2", "A": "1"}, pip_packages=("git+https://hunter2@host/x",)),
    )  # fmt: skip
    assert "hunter2" not in command(job(request=request))
    assert "hunter2" not in str(told(request))
    names = [(each.name, each.value) for each in variables(job(request=request)) if each.name == "B_TOKEN"]
    assert names == [("B_TOKEN", None)]
