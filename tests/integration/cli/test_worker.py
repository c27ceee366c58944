"""`fluster worker` and `fluster demo` as processes: addresses, tokens, clean stops, one sentence where they cannot start."""

import json
import os
import re
import signal
import socket
import subprocess
import urllib.request

import pytest


@pytest.fixture
def worker(fluster, wait_until):
    """Starts `fluster worker`; gives the process and its address."""
    from contextlib import contextmanager

    @contextmanager
    def start(*words):
        log = fluster.home / "worker.err"
        with log.open("wb") as err:
            arguments = ("worker", "--port", 0, "--runtime", "process", *words)
            with fluster.started(*arguments, stdout=subprocess.DEVNULL, stderr=err) as process:
                found = wait_until(lambda: re.search(r"fluster worker \S+ (http://\S+)", log.read_text()))
                yield process, found[1], log

    return start


def last_word(result):
    """Why a worker could not start; like all that it prints where there is no terminal, it is a line of its log."""
    line = json.loads(result.err.splitlines()[-1])
    assert line["level"] == "error"
    return line["message"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_says_what_it_is_and_stops_cleanly_with_its_jobs(fluster, worker, number):
    with worker("--worker-id", "w-1") as (process, url, log):
        text = log.read_text()
        assert f"fluster worker w-1: {url}".replace(": http", ": http") in text
        assert f"{url}/metrics" in text
        assert "runtime process: enforces " in text
        fluster("submit", "--worker", url, "--id", "cut", "--", "sleep", "3600")
        process.send_signal(number)
        assert process.wait(20) == 0
    with worker() as (_, url, _):
        job = fluster.json("show", "--json", "--worker", url, "cut")
        assert (job["status"], job["end_reason"]) == ("killed", "shutdown")


def test_a_state_directory_has_one_worker(fluster, worker):
    with worker():
        result = fluster("worker", "--port", 0, "--runtime", "process")
    assert result.code == 125
    sentence = last_word(result)
    assert sentence.startswith("fluster: another worker (pid ")
    assert sentence.endswith("stop it, or give this one its own --state-dir")


def test_a_worker_id_has_one_worker_whatever_its_state_directory(fluster, worker, wait_until):
    name = ("--worker-id", f"twin-{os.getpid()}")
    other = ("--state-dir", fluster.home / "other", *name)
    with worker(*name) as (first, url, _):
        fluster("submit", "--worker", url, "--id", "first", "--", "sleep", "3600")
        wait_until(lambda: fluster.json("show", "--json", "--worker", url, "first")["status"] == "running")
        result = fluster("worker", "--port", 0, "--runtime", "process", *other)
        assert result.code == 125
        assert last_word(result) == (
            f"fluster: another worker on this machine is {name[1]}, too, and each would end the other's jobs; "
            "stop it, or give one of them another --worker-id"
        )
        assert fluster.json("show", "--json", "--worker", url, "first")["status"] == "running"
        first.kill()
        first.wait()
    # Nobody has the id now. What the first one left belongs to no worker: it is ended, and that is said.
    with worker(*other) as (_, url, log):
        assert fluster.json("ps", "--json", "--worker", url) == []
        left = [line for line in log.read_text().splitlines() if "job first is a leftover" in line]
        with_cgroups = "the kernel's account" in log.read_text()
        assert len(left) == with_cgroups
    with worker(*name) as (_, url, _):
        status = fluster.json("show", "--json", "--worker", url, "first")["status"]
        assert (status != "running") == with_cgroups


def test_a_port_that_is_taken_is_named(fluster):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = fluster("worker", "--port", port, "--runtime", "process")
    assert result.code == 125
    assert f"fluster: --port: 127.0.0.1:{port} cannot be had (Address already in use)" in last_word(result)
    assert "Traceback" not in result.err


def test_docker_without_an_engine_is_one_sentence(fluster):
    result = fluster(
        "worker", "--port", 0, "--runtime", "docker", env={"DOCKER_HOST": f"unix://{fluster.home}/no.sock"}
    )
    assert result.code == 125
    assert last_word(result).startswith("fluster: ")
    assert "Traceback" not in result.err


def test_a_token_is_asked_for_and_taken(fluster, worker):
    token = fluster.home / "token"
    token.write_text("a-long-secret\n")
    with worker("--token-file", token) as (_, url, _):
        result = fluster("ps", "--worker", url)
        assert result.code == 125
        assert re.fullmatch(r"fluster: .*token.*\n", result.err)
        assert fluster("ps", "--worker", url, env={"FLUSTER_TOKEN": "wrong"}).code == 125
        assert fluster("ps", "--worker", url, env={"FLUSTER_TOKEN": "a-long-secret"}).code == 0
        assert fluster("ps", "--worker", url, env={"FLUSTER_TOKEN_FILE": str(token)}).code == 0
        missing = fluster("ps", "--worker", url, env={"FLUSTER_TOKEN_FILE": "/nowhere/token"})
        assert (missing.code, missing.err) == (125, "fluster: /nowhere/token: no such file or directory\n")


def test_options_variables_and_the_file_name_the_same_settings_in_this_order(fluster, worker):
    config = fluster.home / "fluster.toml"
    config.write_text('worker_id = "from-file"\nmax_jobs = 3\nqueue_limit = 5\n')
    fluster.env |= {"FLUSTER_WORKER_ID": "from-variable", "FLUSTER_MAX_JOBS": "4"}
    with worker("--config", config, "--worker-id", "from-option") as (_, url, _):
        with urllib.request.urlopen(f"{url}/metrics") as answer:  # noqa: S310 # the worker of this test
            text = answer.read().decode()
    assert 'worker_id="from-option"' in text
    assert "\nfluster_slots 4" in text
    assert "\nfluster_queue_limit 5" in text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("max_jobs = 0\n", "--max-jobs: "),
        ("max_jobz = 1\n", "max-jobz"),
        ("not toml", "--config: "),
    ],
)
def test_a_bad_file_is_one_sentence(fluster, text, sentence):
    config = fluster.home / "fluster.toml"
    config.write_text(text)
    result = fluster("worker", "--config", config)
    assert (result.code, result.err.count("\n")) == (125, 1)
    assert sentence in result.err


def test_the_demo_shows_its_addresses_submits_every_example_and_stops(fluster, examples):
    from fluster.cli.demo_jobs import DEMO_JOBS

    del fluster.env["FLUSTER_WORKER_ID"]
    with fluster.started("demo", "--port", 0, "--examples", examples) as process:
        lines = [process.stderr.readline().decode() for _ in range(4 + len(DEMO_JOBS))]
        shown = "".join(lines)
        url = re.search(r"page +(http://127\.0\.0\.1:\d+)/\n", shown)[1]
        assert f"metrics  {url}/metrics\n" in shown
        assert f"API      {url}/api/jobs\n" in shown
        jobs = {job["name"]: job for job in fluster.json("ps", "--json", "--worker", url)}
        # This machine's name is its worker's, which may run beside.
        assert {job["worker_id"][:5] for job in jobs.values()} == {"demo-"}
        assert set(jobs) == {name for name, _, _ in DEMO_JOBS}
        assert fluster("wait", "--worker", url, jobs["failing"]["job_id"]).code == 3
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 0
