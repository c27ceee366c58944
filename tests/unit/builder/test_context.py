import tarfile

import pytest

from fluster.builder.docker.context import generated_context, own_context
from fluster.builder.docker.dockerfile import generate
from fluster.builder.plan import Plan

PLAN = Plan(requirements=("requirements.txt",), dependency_files=("requirements.txt",), installs_project=True)


def listing(file):
    with file, tarfile.open(fileobj=file) as tar:
        return {
            member.name: tar.extractfile(member).read().decode(errors="replace") if member.isreg() else None
            for member in tar.getmembers()
            if member.name != "tools/uv"
        }


@pytest.fixture
def bundle(tmp_path):
    root = tmp_path / "bundle"
    (root / "pkg").mkdir(parents=True)
    (root / "requirements.txt").write_text("x")
    (root / "pkg/main.py").write_text("print()")
    return root


@pytest.mark.parametrize("buildkit", [True, False])
def test_dependencies_come_before_sources(buildkit):
    text = generate(PLAN, base="base:1", has_source=True, buildkit=buildkit)
    assert text.startswith("FROM base:1")
    assert text.index("-r requirements.txt") < text.index("source/ /workspace/") < text.index("WORKDIR /workspace")
    assert text.rstrip().endswith("USER 10001:10001")
    assert ("--mount=type=cache" in text) == buildkit
    assert "syntax=" not in text


def test_tools_stay_in_a_stage_of_their_own_without_buildkit():
    text = generate(PLAN, base="base:1", has_source=True, buildkit=False)
    last = text[text.rindex("FROM ") :]
    assert "tools" not in last
    assert "COPY --from=build /opt/fluster/venv /opt/fluster/venv" in last
    assert "COPY --chown=10001:10001 source/ /workspace/" in last


def test_nothing_to_install_is_only_the_sources():
    text = generate(Plan(), base="b", has_source=True, buildkit=True)
    assert "uv" not in text
    assert "COPY --chown=10001:10001 source/ /workspace/" in text


def test_the_context_is_the_same_bytes_for_the_same_bundle(bundle, monkeypatch, tmp_path):
    certificates = tmp_path / "ca.pem"
    certificates.write_text("CA")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates))
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://user:it's@mirror.example/")
    with generated_context("FROM x", PLAN, bundle) as one:
        first = one.read()
    (bundle / "pkg/main.py").touch()
    with generated_context("FROM x", PLAN, bundle) as two:
        assert two.read() == first
    files = listing(generated_context("FROM x", PLAN, bundle))
    assert files["dependencies/requirements.txt"] == "x"
    assert files["source/pkg/main.py"] == "print()"
    assert files["tools/ca.crt"] == "CA"
    assert "export SSL_CERT_FILE=/opt/fluster/tools/ca.crt\n" in files["tools/variables"]
    assert """export UV_DEFAULT_INDEX='https://user:it'"'"'s@mirror.example/'\n""" in files["tools/variables"]


def test_the_bundle_s_own_dockerignore_is_honoured(bundle):
    (bundle / "Dockerfile").write_text("FROM x")
    (bundle / ".dockerignore").write_text("# comment\npkg/*\n!pkg/keep.py\n")
    (bundle / "pkg/keep.py").write_text("")
    files = listing(own_context(bundle))
    assert "pkg/main.py" not in files
    assert {"Dockerfile", "pkg/keep.py", "requirements.txt"} <= files.keys()
