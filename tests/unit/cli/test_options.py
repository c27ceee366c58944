import pytest


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["run"], "give the command behind --"),
        (["submit", "."], "give the command behind --"),
        (["run", ".", "--memory", "512", "--", "true"], "'--memory': '512' has no unit; write 512m"),
        (["submit", ".", "--memory", "lots", "--", "true"], "'--memory': 'lots' is not a size"),
        (["submit", "--disk", "3x", "--", "true"], "'--disk': '3x' has the unknown unit 'x'"),
        (["run", "--timeout", "5", "--", "true"], "--timeout"),
        (["run", "--timeout", "0s", "--", "true"], "timeout: 0s is no time"),
        (["run", "--cpus", "0", "--", "true"], "--cpus"),
        (["run", "--cpus", "many", "--", "true"], "--cpus"),
        (["run", "--pids", "0", "--", "true"], "--pids"),
        (["submit", "--env", "=x", "--", "true"], "--env: '=x' has no name"),
        (["submit", "--env", "SURELY_NOT_SET", "--", "true"], "--env: SURELY_NOT_SET is not set here"),
        (["run", "--id", "a/b", "--", "true"], "job_id: 'a/b' cannot be a job id"),
        (["run", "--runtime", "moon", "--", "true"], "--runtime: Input should be 'auto', 'docker', 'process' or 'fake'"),
        (["run", "/no/such/folder", "--", "true"], "workspace: /no/such/folder is not a folder"),
        (["worker", "--port", "70000"], "--port: Input should be less than or equal to 65535"),
        (["worker", "--max-jobs", "x"], "--max-jobs: "),
        (["worker", "--max-line", "5"], "--max-line: '5' has no unit"),
        (["worker", "--host", "0.0.0.0"], "--host: 0.0.0.0 can be reached from elsewhere; give --token-file FILE, or --insecure"),
        (["worker", "--config", "/no/such.toml"], "--config: there is no file /no/such.toml"),
        (["demo", "--port", "99999"], "--port"),
        (["show"], "Missing argument 'job'"),
        (["show", "../../metrics"], "job_id: '../../metrics' cannot be a job id"),
        (["logs", "x", "--tail", "-1"], "--tail"),
        (["wait", "a b"], "job_id: 'a b' cannot be a job id"),
        (["fly"], "No such command 'fly'"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_that_names_the_option(fluster, tmp_path, monkeypatch, words, sentence):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    result = fluster(*words)
    assert result.code == 125
    assert sentence in result.err
    assert result.err.startswith("fluster: ")
    assert result.err.count("\n") == 1
    assert result.out == ""


@pytest.mark.parametrize(
    "words", [["ps"], ["show", "x"], ["logs", "x"], ["logs", "-f", "x"], ["wait", "x"], ["kill", "x"]]
)
def test_no_worker_is_one_sentence_with_what_to_do(fluster, monkeypatch, free_port, words):
    monkeypatch.setattr("fluster.client.asynchronous._RETRY_SECONDS", 0.0)
    result = fluster(*words, "--worker", f"http://127.0.0.1:{free_port}")
    assert result.code == 125
    assert result.err.startswith(f"fluster: no worker answers at http://127.0.0.1:{free_port} (")
    assert "start one with `fluster worker`" in result.err
    assert result.err.count("\n") == 1


def test_an_address_that_is_none_is_named(fluster):
    result = fluster("ps", "--worker", "nonsense")
    assert result.code == 125
    assert "nonsense" in result.err
    assert result.err.count("\n") == 1


def test_a_fault_is_one_sentence_too(fluster, monkeypatch):
    monkeypatch.setattr("fluster.cli.version.version.__code__", (lambda: 1 / 0).__code__)
    result = fluster("version")
    assert (result.code, result.err.count("\n")) == (125, 1)
    assert "ZeroDivisionError" in result.err
    assert "PYTHONDEVMODE=1" in result.err


@pytest.mark.parametrize("words", [["version"], ["--version"]])
def test_the_version_is_told(fluster, words):
    from fluster import __version__

    result = fluster(*words)
    assert (result.code, result.out) == (0, f"fluster {__version__}\n")


def test_help_names_every_command(fluster):
    result = fluster("--help")
    assert result.code == 0
    for command in ("worker", "run", "submit", "ps", "show", "logs", "wait", "kill", "demo", "version"):
        assert f"  {command} " in result.out


def test_every_setting_is_an_option_of_worker_but_the_secret_one(fluster):
    from fluster.config import Settings

    result = fluster("worker", "--help")
    for name in Settings.model_fields:
        assert (f"--{name.replace('_', '-')} " in result.out) is (name != "token"), name


def test_words_behind_the_dashes_are_the_jobs_alone():
    import typer

    from fluster.cli.main import build
    from fluster.cli.options import command_of

    context = typer.Context(typer.main.get_command(build([])), obj=["sh", "-c", "exit 3", "--", "--json"])
    assert command_of(context) == ["sh", "-c", "exit 3", "--", "--json"]
