import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluster.builder import create_builder
from fluster.builder.environment import EnvironmentBuilder
from fluster.builder.plan import digest, make_plan, tree_parts
from fluster.builder.uv import install_commands, uv_variables
from fluster.config import Settings
from fluster.errors import BuildError
from fluster.job import EnvironmentRequest

PROJECT = '[project]\nname = "p"\nversion = "1"\n[project.optional-dependencies]\nplot = ["x"]\n'


def tree(root, **files):
    root.mkdir(exist_ok=True)
    for name, text in files.items():
        (root / name.replace("__", ".")).write_text(text)
    return root


def plan(source, **environment):
    return make_plan(source, EnvironmentRequest(**environment))


def test_the_most_specific_description_wins(tmp_path):
    everything = {"pyproject__toml": PROJECT, "uv__lock": "", "requirements__txt": "a"}
    locked = plan(tree(tmp_path / "all", **everything), extras=("plot",))
    assert locked.locked
    assert locked.dependency_files == ("pyproject.toml", "uv.lock")
    assert not locked.requirements
    assert locked.extras == ("plot",)
    unlocked = plan(tree(tmp_path / "project", pyproject__toml=PROJECT, requirements__txt="a"))
    assert (unlocked.locked, unlocked.requirements) == (False, ("pyproject.toml",))
    assert not unlocked.installs_project
    plain = plan(tree(tmp_path / "plain", requirements__txt="-c constraints.txt", constraints__txt="a==1"))
    assert plain.dependency_files == ("constraints.txt", "requirements.txt")
    assert plain.requirements == ("requirements.txt",)
    assert not plan(tree(tmp_path / "none", main__py="")).installs
    assert plan(tree(tmp_path / "own", Dockerfile="FROM x")).dockerfile
    assert plan(tree(tmp_path / "built", pyproject__toml=PROJECT + "[build-system]\nrequires=[]\n")).installs_project


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (None, "no bundle with a pyproject.toml"),
        ({"requirements__txt": "a"}, "leave them out or add one"),
        ({"pyproject__toml": PROJECT}, "does not define 'gpu'; it has plot"),
        ({"pyproject__toml": "[broken"}, "pyproject.toml cannot be read"),
    ],
)
def test_extras_that_nothing_defines_are_an_error_with_its_fix(tmp_path, files, says):
    source = None if files is None else tree(tmp_path / "b", **files)
    with pytest.raises(BuildError, match=says):
        plan(source, extras=("gpu",))


def test_commands_install_the_lock_then_packages_then_the_project(tmp_path):
    source = tree(tmp_path / "b", pyproject__toml=PROJECT + "[build-system]\nrequires=[]\n", uv__lock="")
    commands = install_commands(
        plan(source, extras=("plot",), pip_packages=("rich",)), python="/venv", project="/source"
    )
    assert [command[:2] for command in commands] == [["sync", "--frozen"], ["pip", "install"], ["pip", "install"]]
    assert commands[0][-2:] == ["--extra", "plot"]
    assert commands[1][-2:] == ["--", "rich"]
    assert commands[2][-2:] == ["--no-deps", "/source"]


def test_a_package_cannot_be_an_option_of_uv():
    [command] = install_commands(plan(None, pip_packages=("--index-url=http://x",)), python="/v", project="")
    assert command.index("--") < command.index("--index-url=http://x")


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_only_equal_parts_have_an_equal_digest(one, other):
    assert (digest(*one) == digest(*other)) == (one == other)


def test_every_change_of_a_tree_shows_and_times_do_not(tmp_path):
    root = tree(tmp_path / "t", a__py="1", b__py="2")
    seen = {digest(*tree_parts(root))}

    def changed():
        before = len(seen)
        seen.add(digest(*tree_parts(root)))
        return len(seen) > before

    os.utime(root / "a.py", (1, 1))
    assert not changed()
    (root / "a.py").write_text("3")
    assert changed()
    (root / "a.py").chmod(0o755)
    assert changed()
    (root / "b.py").rename(root / "c.py")
    assert changed()
    (root / "link").symlink_to("c.py")
    assert changed()
    (root / "link").unlink()
    (root / "link").symlink_to("a.py")
    assert changed()
    (root / "empty").mkdir()
    assert changed()


def test_uv_gets_mirrors_proxies_and_certificates_and_no_other_secret(monkeypatch):
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://mirror.example/simple")
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    monkeypatch.setenv("FLUSTER_TOKEN", "secret")
    monkeypatch.setenv("UV_CACHE_DIR", "/elsewhere")
    variables = uv_variables()
    assert variables["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert variables["https_proxy"] == "http://proxy:3128"
    assert not {"FLUSTER_TOKEN", "UV_CACHE_DIR", "HOME"} & variables.keys()


def test_each_runtime_has_its_builder(tmp_path):
    settings = Settings(cache_dir=tmp_path)
    assert isinstance(create_builder("process", settings), EnvironmentBuilder)
    assert type(create_builder("docker", settings, docker_url="unix:///nowhere")).__name__ == "ImageBuilder"
    assert type(create_builder("fake", settings)).__name__ == "NoBuilder"
