import pytest

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


def command_of(*words):
    return command(job(request=JobRequest(name="n", command=words)))


def test_a_long_command_is_cut_and_says_how_long_it_is():
    shown = command_of("python", "-c", "print(1)\n" * 20_000)
    assert shown.startswith("python -c 'print(1)")
    assert shown.endswith(" … (cut: 180,010 characters in all)")
    assert len(shown) < 5000
    assert command_of("x" * 4096) == "x" * 4096
    assert command_of("run", "x" * 4096) == "run … (cut: 4,100 characters in all)"
    assert len(command_of(*["" for _ in range(100_000)])) < 20_000


@pytest.mark.parametrize(
    "secret", ["https://user:hunter2@host/", "--token hunter2", "TOKEN='hunter2 hunter2'", 'TOKEN="hunter2 hunter2"', "Bearer hunter2"]
)  # fmt: skip
@pytest.mark.parametrize("before", [4080, 4081, 4082, 4083, 4084, 4085, 4086, 4087, 4088, 4089, 4090])
def test_what_is_cut_shows_no_half_of_a_secret(secret, before):
    filling = f"{'x' * 80} " * (before // 81)
    filling += "y" * (before - len(filling) - 1) + " "
    request = JobRequest(
        name="n", command=("sh", "-c", filling[6:] + secret + " z" * 4096), bundle=filling + secret + " z" * 4096
    )
    for text in (command(job(request=request)), *told(request).values()):
        assert "hunt" not in text
        assert "user:h" not in text


def test_long_texts_are_cut_before_they_are_judged(monkeypatch):
    judged = []
    for name in ("masked_text", "masked_value"):
        monkeypatch.setattr(f"fluster.web.pages.facts.{name}", lambda *texts: judged.extend(texts) or texts[-1])
    monkeypatch.setattr("fluster.web.pages.facts.masked_command", lambda words: judged.extend(words) or words)
    long = "a/b " * 50_000
    environment = EnvironmentRequest(
        env_vars={"LONG": long, "B": "x" * 4096}, pip_packages=("numpy", *[long] * 9), base_image=long
    )
    request = JobRequest(name="n", command=("x", long), bundle=long, environment=environment)
    assert [(each.name, each.value and len(each.value), each.note) for each in variables(job(request=request))] == [
        ("B", 4096, ""), ("LONG", None, "too long to show"),
    ]  # fmt: skip
    command(job(request=request))
    found = told(request)
    assert found["Bundle"].endswith("… (cut: 200,000 characters in all)")
    assert found["Packages"] == "numpy, and 9 more"
    assert max(map(len, judged)) == 4096
