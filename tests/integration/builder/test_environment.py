"""Virtual environments by the real uv, from wheels that the tests make."""

import sys
import time

import anyio
import pytest

from fluster.builder.environment import EnvironmentBuilder
from fluster.config import Settings
from fluster.errors import BuildError, StartError

pytestmark = pytest.mark.anyio

PROJECT = """
[project]
name = "job"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["alpha"]
[project.optional-dependencies]
more = ["gamma"]
"""
BACKEND = """
import zipfile

def build_wheel(folder, settings=None, metadata=None):
    with zipfile.ZipFile(f"{folder}/job-1.0-py3-none-any.whl", "w") as wheel:
        wheel.write("job.py")
        wheel.writestr("job-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: job\\nVersion: 1.0\\n")
        wheel.writestr("job-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("job-1.0.dist-info/RECORD", "")
    return "job-1.0-py3-none-any.whl"
"""
SLOW = """
import os, subprocess

def build_wheel(folder, settings=None, metadata=None):
    print("slowly", flush=True)
    subprocess.run(["sleep", os.environ["UV_TEST_SECONDS"]])
"""


def in_tree(backend):
    return '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n', backend


@pytest.fixture
def builder(tmp_path, wheels, monkeypatch):
    monkeypatch.setenv("UV_FIND_LINKS", str(wheels))
    monkeypatch.setenv("UV_OFFLINE", "1")
    return EnvironmentBuilder(Settings(cache_dir=tmp_path / "cache"))


async def output(built, program):
    done = await anyio.run_process([built.python, "-c", program])
    return done.stdout.decode().strip()


async def test_requirements_are_built_once_and_hit_then(builder, build, bundle):
    source = bundle("b", {"requirements.txt": "alpha\n", "main.py": "1"})
    before = time.time_ns()
    built, log = await build(builder, source)
    assert not built.from_cache
    assert await output(built, "import alpha, beta; print(alpha.name, beta.name)") == "alpha beta"
    assert built.env_vars["PATH"].startswith(f"{built.env_vars['VIRTUAL_ENV']}/bin:")
    assert "+ alpha==1.0" in log.text
    assert all(before <= entry.timestamp_ns <= time.time_ns() for entry in log.entries)
    (source / "main.py").write_text("2")
    again, log = await build(builder, source)
    assert (again.tag, again.from_cache) == (built.tag, True)
    assert "there already" in log.text
    other, _ = await build(builder, source, pip_packages=("gamma",))
    assert other.tag != built.tag
    assert await output(other, "import alpha, gamma; print(gamma.name)") == "gamma"
    assert builder.counts.builds == {"built": 2, "cached": 1}


async def test_a_project_with_and_without_its_lock_with_extras(builder, build, bundle, wheels):
    source = bundle("p", {"pyproject.toml": PROJECT})
    plain, _ = await build(builder, source)
    assert await output(plain, "import alpha, importlib.util as i; print(i.find_spec('gamma'))") == "None"
    more, _ = await build(builder, source, extras=("more",))
    assert await output(more, "import gamma; print(gamma.name)") == "gamma"
    with pytest.raises(BuildError, match="does not define 'less'; it has more"):
        await build(builder, source, extras=("less",))
    (source / "uv.lock").write_text(locked(wheels))
    exact, log = await build(builder, source, extras=("more",))
    assert "uv sync --frozen" in log.text
    assert await output(exact, "import alpha, beta, gamma; print(gamma.name)") == "gamma"
    assert await output(exact, "import sys; print(sys.prefix)") == exact.env_vars["VIRTUAL_ENV"]


def locked(wheels):
    def package(name, more=""):
        place = wheels / f"{name}-1.0-py3-none-any.whl"
        return f'[[package]]\nname = "{name}"\nversion = "1.0"\nsource = {{ registry = "{wheels}" }}\n{more}wheels = [{{ path = "{place}" }}]\n'

    return (
        'version = 1\nrequires-python = ">=3.11"\n'
        + package("alpha", 'dependencies = [{ name = "beta" }]\n')
        + package("beta")
        + package("gamma")
        + '[[package]]\nname = "job"\nversion = "1.0"\nsource = { virtual = "." }\n'
        'dependencies = [{ name = "alpha" }]\n[package.optional-dependencies]\nmore = [{ name = "gamma" }]\n'
        "[package.metadata]\n"
        'requires-dist = [{ name = "alpha" }, { name = "gamma", marker = "extra == \'more\'" }]\nprovides-extras = ["more"]\n'
    )


async def test_a_project_that_is_a_package_is_installed_and_its_sources_count(builder, build, bundle):
    system, backend = in_tree(BACKEND)
    source = bundle("p", {"pyproject.toml": PROJECT + system, "backend.py": backend, "job.py": "answer = 41"})
    built, _ = await build(builder, source)
    assert await output(built, "import job, alpha; print(job.answer)") == "41"
    (source / "job.py").write_text("answer = 42")
    changed, _ = await build(builder, source)
    assert changed.tag != built.tag
    assert await output(changed, "import job; print(job.answer)") == "42"


async def test_without_dependencies_the_job_has_python_and_none_of_the_worker_s_packages(builder, build):
    built, _ = await build(builder, None)
    program = "import importlib.util as i; print(i.find_spec('anyio'))"
    done = await anyio.run_process(["/bin/sh", "-c", f'python -c "{program}"'], env=built.env_vars)
    assert done.stdout.strip() == b"None"


async def test_a_missing_package_is_a_build_error_with_uv_s_word_and_nothing_counts(builder, build, bundle):
    source = bundle("b", {"requirements.txt": "nosuchthing==9\n"})
    log = build.log()
    for _ in range(2):
        with pytest.raises(BuildError, match=r"uv pip failed: .*nosuchthing"):
            await build(builder, source, log=log)
    assert log.text.count("building environment") == 2
    assert builder.counts.builds == {"failed": 2}


async def test_equal_builds_at_once_are_one_build_across_builders_too(builder, build, bundle, tmp_path):
    source = bundle("b", {"requirements.txt": "alpha\n"})
    other = EnvironmentBuilder(Settings(cache_dir=tmp_path / "cache"))
    async with anyio.create_task_group() as tasks:
        for each in (builder, builder, other):
            tasks.start_soon(build, each, source)
    assert builder.counts.builds + other.counts.builds == {"built": 1, "cached": 2}


async def test_a_cancelled_build_ends_its_processes_and_the_next_starts_afresh(  # fixtures
    builder, build, bundle, running, until, monkeypatch
):
    monkeypatch.setenv("UV_TEST_SECONDS", "864.2531")
    system, backend = in_tree(SLOW)
    source = bundle("p", {"pyproject.toml": PROJECT + system, "backend.py": backend})
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(build, builder, source)
        await until(lambda: running("864.2531"))
        tasks.cancel_scope.cancel()
    await until(lambda: not running("864.2531"))
    (source / "backend.py").write_text(BACKEND)
    (source / "job.py").write_text("")
    built, _ = await build(builder, source)
    assert not built.from_cache


async def test_what_a_killed_build_left_is_built_again(builder, build, bundle, tmp_path):
    source = bundle("b", {"requirements.txt": "alpha\n"})
    built, _ = await build(builder, source)
    (tmp_path / "cache/environments" / built.tag / ".complete").unlink()
    again, _ = await build(builder, source)
    assert not again.from_cache
    assert await output(again, "import alpha; print(1)") == "1"


async def test_a_python_that_nobody_has_is_a_sentence(builder, build, monkeypatch):
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "never")
    with pytest.raises(BuildError, match=r"uv venv failed: .*3\.99"):
        await build(builder, None, python_version="3.99", needs_python=True)


async def test_the_call_s_python_is_compared_before_anything_runs(builder, build):
    mine = f"{sys.version_info.major}.{sys.version_info.minor}"
    built, _ = await build(builder, None, python_version=mine, needs_python=True)
    config = builder._root / built.tag / "pyvenv.cfg"
    config.write_text(config.read_text().replace(f"version_info = {mine}", "version_info = 3.2"))
    with pytest.raises(StartError, match=rf"pickled with Python {mine}, the job would run Python 3\.2"):
        await build(builder, None, python_version=mine, needs_python=True)


async def test_the_longest_unused_environment_goes_first_and_never_one_in_use(tmp_path, builder, build):
    small = EnvironmentBuilder(Settings(cache_dir=tmp_path / "cache", environment_cache_limit=1))
    tags = [(await build(builder, None, pip_packages=(name,)))[0].tag for name in ("alpha", "beta", "gamma")]
    await small.evict({tags[1]})
    assert [(tmp_path / "cache/environments" / tag).exists() for tag in tags] == [False, True, False]
    assert small.counts.evictions == 2


async def test_the_credentials_of_a_package_s_address_are_told_nobody(builder, build):
    address = "tiny @ http://user:s3cretpw@127.0.0.1:1/tiny-1.0-py3-none-any.whl"
    log = build.log()
    with pytest.raises(BuildError) as raised:
        await build(builder, None, log=log, pip_packages=(address, "git+http://user:s3cretpw@127.0.0.1:1/x"))
    assert "s3cretpw" not in str(raised.value)
    assert "http://***@127.0.0.1:1/tiny" in log.text
    assert "s3cretpw" not in log.text
