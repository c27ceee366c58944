"""Images by a real engine, from wheels in a base image that the tests build: no index and no registry is needed."""

import gc
import os

import anyio
import docker
import pytest

from fluster.builder import BuildRequest
from fluster.builder.docker import ImageBuilder
from fluster.config import Settings
from fluster.errors import BuildError, EngineUnavailableError, StartError
from fluster.job import EnvironmentRequest, Limits
from tests.engine import base_image as base
from tests.engine import daemon

pytestmark = [pytest.mark.anyio, pytest.mark.docker]

unclosed = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
"""The SDK leaves its socket to the collector where connect() is refused; with gc.collect() within the same test."""
WORKER = f"image-tests-{os.getpid()}"
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "job"
version = "1.0"
dependencies = ["alpha"]
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


@pytest.fixture
def client(engine):
    client = docker.APIClient(base_url=engine)
    yield client
    for image in client.images(filters={"label": f"fluster.worker_id={WORKER}"}, all=False):
        client.remove_image(image["Id"], force=True)
    client.close()


@pytest.fixture(params=[True, False], ids=["buildkit", "classic"])
def builder(request, engine, client, tmp_path, monkeypatch):  # it removes the images afterwards
    monkeypatch.setenv("UV_FIND_LINKS", "/wheels")
    monkeypatch.setenv("UV_OFFLINE", "1")
    made = ImageBuilder(
        Settings(cache_dir=tmp_path / "cache", build_network="none", worker_id=WORKER),
        base_url=engine,
        buildkit=request.param,
    )
    yield made
    if made._api is not None:
        made._api.close()


@pytest.fixture
async def wheel_base(builder, build, base_image, wheels):
    """The base image with the wheels in it, built as a bundle with its own Dockerfile."""
    (wheels / "Dockerfile").write_text(f"FROM {base_image}\nCOPY *.whl /wheels/\n")
    built, _ = await build(builder, wheels)
    return built.image


def run(client, image, *command, user=None):
    container = client.create_container(image, list(command), user=user, host_config=client.create_host_config())["Id"]
    try:
        client.start(container)
        code = client.wait(container)["StatusCode"]
        return code, client.logs(container).decode().strip()
    finally:
        client.remove_container(container, force=True)


def tags(client):
    """Names only: the classic builder keeps the steps of a build as its cache, images called `<none>` or nothing."""
    return {tag for image in client.images() for tag in image["RepoTags"] or [] if not tag.startswith("<none>")}


async def test_built_then_hit_and_a_changed_source_reuses_the_dependencies(builder, build, bundle, wheel_base, client):
    source = bundle("b", {"requirements.txt": "alpha\n", "main.py": "import alpha; print(alpha.name, 1)"})
    built, log = await build(builder, source, base_image=wheel_base)
    assert not built.from_cache
    assert built.image == built.tag
    assert "+ alpha==1.0" in log.text
    assert all(entry.timestamp_ns > 1_700_000_000 * 10**9 for entry in log.entries)
    assert run(client, built.image, "python", "main.py") == (0, "alpha 1")
    assert run(client, built.image, "sh", "-c", "id -u; pwd; touch new && echo own") == (0, "10001\n/workspace\nown")

    again, log = await build(builder, source, base_image=wheel_base)
    assert (again.tag, again.from_cache) == (built.tag, True)
    assert f"{built.tag} is there already" in log.text

    (source / "main.py").write_text("import alpha; print(alpha.name, 2)")
    changed, log = await build(builder, source, base_image=wheel_base)
    assert changed.tag != built.tag
    assert not changed.from_cache
    assert "+ alpha" not in log.text
    cached = [entry.data.decode() for entry in log.entries if b"CACHED" in entry.data or b"Using cache" in entry.data]
    if builder._buildkit:
        assert any("-r requirements.txt" in line for line in cached), log.text
    else:
        assert len(cached) >= 5
    assert run(client, changed.image, "python", "main.py") == (0, "alpha 2")

    (source / "requirements.txt").write_text("alpha\ngamma\n")
    _, log = await build(builder, source, base_image=wheel_base)
    assert "+ gamma==1.0" in log.text


async def test_neither_tools_nor_index_settings_are_in_the_image(  # fixtures
    builder, build, bundle, wheel_base, client, monkeypatch
):
    monkeypatch.setenv("UV_INDEX_PRIVATE_PASSWORD", "hush-hush")
    source = bundle("p", {"pyproject.toml": PROJECT, "backend.py": BACKEND, "job.py": "answer = 42"})
    built, _ = await build(builder, source, base_image=wheel_base)
    assert run(client, built.image, "python", "-c", "import alpha, job; print(job.answer)") == (0, "42")
    leaks = "grep -rl hush-hush /opt /workspace /tmp /root; find /opt/fluster/tools /opt/fluster/cache -type f"
    text = run(client, built.image, "sh", "-c", leaks, user="0")[1]
    assert not [line for line in text.splitlines() if "No such file" not in line]
    history = str(client.history(built.image)) + str(client.inspect_image(built.image))
    assert "hush-hush" not in history


async def test_a_bundle_s_own_dockerfile_is_built_as_it_stands(builder, build, bundle, base_image, client):
    files = {
        "Dockerfile": f'FROM {base_image}\nCOPY . /app\nRUN echo {os.getpid()}; echo to-out && echo to-err >&2\nCMD ["ls", "/app"]\n',
        ".dockerignore": "secret\n",
        "secret": "x",
        "seen": "x",
    }
    source = bundle("own", files)
    built, log = await build(builder, source, pip_packages=("ignored",))
    assert "left aside" in log.text
    streams = {entry.data.decode(): entry.stream for entry in log.entries}
    assert (streams["to-out"], streams["to-err"]) == ("stdout", "stderr")
    listed = run(client, built.image, "ls", "/app")[1].split()
    assert "seen" in listed
    assert "secret" not in listed
    again, _ = await build(builder, source)
    assert again.from_cache
    assert again.tag == built.tag


async def test_nothing_to_build_is_the_base_image_itself(builder, build, base_image):
    built, log = await build(builder, None, base_image=base_image)
    assert (built.tag, built.image, built.from_cache) == ("", base_image, False)
    assert "nothing to build" in log.text


async def test_a_base_image_that_cannot_be_had_is_a_sentence(builder, build):
    with pytest.raises(BuildError, match=r"localhost:1/none:1 is not here and cannot be pulled.*--image"):
        await build(builder, None, base_image="localhost:1/none:1")


async def test_a_failing_build_names_step_and_last_word_and_leaves_nothing(builder, build, bundle, wheel_base, client):
    before, containers = tags(client), len(client.containers(all=True))
    own = bundle("own", {"Dockerfile": f"FROM {wheel_base}\nRUN echo the-last-word && exit 7\n"})
    with pytest.raises(BuildError, match=r"RUN echo the-last-word.*: the-last-word$"):
        await build(builder, own)
    missing = bundle("m", {"requirements.txt": "nosuchthing==9\n"})
    with pytest.raises(BuildError, match=r"nosuchthing|unsatisfiable"):
        await build(builder, missing, base_image=wheel_base)
    assert tags(client) == before
    assert len(client.containers(all=True)) <= containers
    assert builder.counts.builds["failed"] == 2


async def test_a_cancelled_build_ends_on_the_engine_too(
    builder, build, bundle, base_image, client, running, until
):  # fixtures
    seconds = f"{864 + builder._buildkit}.{os.getpid()}"
    source = bundle("slow", {"Dockerfile": f"FROM {base_image}\nRUN echo begun && sleep {seconds}\n"})
    before = tags(client)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(build, builder, source)
        await until(lambda: running(f"sleep\0{seconds}"))
        tasks.cancel_scope.cancel()
    await until(lambda: not running(f"sleep\0{seconds}"))
    assert tags(client) == before


async def test_a_cancel_while_the_context_is_sent_is_not_lost(builder, build, bundle, base_image, client):
    source = bundle("slow", {"Dockerfile": f"FROM {base_image}\nRUN sleep 600\n"})
    before = tags(client)
    with anyio.fail_after(30), anyio.move_on_after(0.15):
        await build(builder, source)
    assert tags(client) == before


async def test_equal_builds_at_once_are_one(builder, build, bundle, base_image):
    source = bundle("b", {"main.py": f"print({os.getpid()})"})
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(lambda: build(builder, source, base_image=base_image))
    assert builder.counts.builds == {"built": 1, "cached": 2}


async def test_the_call_s_python_is_asked_of_the_image(builder, build, base_image, client):
    containers = len(client.containers(all=True))
    with pytest.raises(StartError, match=r"pickled with Python 3\.99, the job would run Python 3\.\d+;"):
        await build(builder, None, base_image=base_image, python_version="3.99", needs_python=True)
    assert len(client.containers(all=True)) <= containers


async def test_limits_of_a_build_are_the_classic_builder_s_only(builder, bundle, base_image, build):
    file = "memory.limit_in_bytes"
    source = bundle(
        "own",
        {
            "Dockerfile": f"FROM {base_image}\nRUN echo {os.urandom(4).hex()} && cat /sys/fs/cgroup/memory/{file} || true\n"
        },
    )
    log = build.log()
    request = BuildRequest(source=source, environment=EnvironmentRequest(), limits=Limits(memory_bytes=123_002_880))
    await builder.build(request, log)
    if builder._buildkit:
        assert "BuildKit does not enforce" in log.text
    else:
        assert "123002880" in log.text


@unclosed
async def test_an_engine_that_is_away_is_infrastructure(tmp_path, build):
    away = ImageBuilder(Settings(cache_dir=tmp_path), base_url=f"unix://{tmp_path}/none.sock")
    with pytest.raises(EngineUnavailableError, match="went away"):
        await build(away, None, base_image="x")
    gc.collect()


@unclosed
async def test_the_longest_unused_image_goes_first_and_never_one_in_use(tmp_path, build, bundle):
    """On an engine of its own: eviction looks at all images that Fluster made."""
    with daemon.private_engine() as url:
        base.ensure(environment={"DOCKER_HOST": url})
        client = docker.APIClient(base_url=url)
        builder = ImageBuilder(
            Settings(cache_dir=tmp_path / "c", image_cache_limit=1, build_network="none"), base_url=url
        )
        sources = [bundle(f"b{n}", {"main.py": str(n)}) for n in range(4)]
        built = [(await build(builder, each, base_image=base.NAME))[0].tag for each in sources]
        held = client.create_container(built[2], ["true"])["Id"]
        await builder.evict({built[1]})
        assert [tag in tags(client) for tag in built] == [False, True, True, False]
        assert builder.counts.evictions == 2
        assert base.NAME in tags(client)
        client.remove_container(held, force=True)
        await builder.evict(set())
        assert not tags(client).intersection(built)
        builder._api.close()
        client.close()
    gc.collect()


@unclosed
async def test_the_stages_that_the_classic_builder_keeps_are_evicted_too(build, bundle, wheels, tmp_path):
    with daemon.private_engine() as url:
        base.ensure(environment={"DOCKER_HOST": url})
        client = docker.APIClient(base_url=url)
        settings = Settings(cache_dir=tmp_path / "c", image_cache_limit=1, build_network="none")
        builder = ImageBuilder(settings, base_url=url, buildkit=False)
        missing = bundle("missing", {"requirements.txt": "nosuchthing==9\n"})
        with pytest.raises(BuildError):
            await build(builder, missing, base_image=base.NAME)
        assert client.images(filters={"dangling": True})
        await builder.evict(set())
        assert not client.images(filters={"dangling": True})
        assert base.NAME in tags(client)
        builder._api.close()
        client.close()
    gc.collect()
