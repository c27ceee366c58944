"""`fluster run`: a private worker, the job's own output and exit code, exact figures at the end."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROCESS = ("run", "--runtime", "process")


def summary(result):
    """{label: text} of the lines behind the job's own."""
    return dict(
        re.findall(r"^(job|time|build|memory|cpu|processes|oom kills|log|output) +(.*)$", result.err, re.MULTILINE)
    )


def test_hello_ends_with_zero_its_output_and_a_summary(fluster, examples):
    result = fluster(*PROCESS, "--id", "one", examples / "hello", "--", "python", "hello.py")
    assert result.code == 0, result.err
    assert result.out.startswith(b"hello from job one on worker ")
    assert result.out.endswith(b"wrote greeting.txt to the output directory\n")
    told = summary(result)
    assert told["job"] == "one succeeded"
    assert re.fullmatch(r"queued .*, built .*, ran .*", told["time"])
    assert told["log"].endswith("3 stdout, 0 stderr lines")
    output = fluster.home.joinpath("state", "fluster", "runs", "one", "work", "one", "output")
    assert (output / "greeting.txt").read_text() == "hello\n"
    assert told["output"] == str(output)


def test_failing_ends_with_its_own_code_and_its_traceback(fluster, examples):
    result = fluster(*PROCESS, examples / "failing", "--", "python", "failing.py")
    assert result.code == 3
    assert result.out == b"dividing 10 by 0\n"
    assert "ZeroDivisionError: division by zero\n" in result.err
    assert summary(result)["job"].endswith("failed: ended with exit code 3")


@pytest.mark.cgroup
def test_oom_ends_with_137_and_says_why(fluster, examples):
    result = fluster(*PROCESS, "--memory", "64m", examples / "oom", "--", "python", "oom.py")
    assert result.code == 137
    assert b"holding 40 MiB\n" in result.out
    assert "failed: out of memory" in summary(result)["job"]
    assert summary(result)["memory"] == "peak 64.0 MiB of 64.0 MiB (kernel)"


def test_a_timeout_ends_with_124(fluster, examples):
    result = fluster(*PROCESS, "--timeout", "1s", examples / "timeout", "--", "python", "timeout.py")
    assert result.code == 124
    assert result.out.startswith(b"0 s\n")
    assert "timed out after 1.0 s" in summary(result)["job"]


@pytest.mark.cgroup
def test_a_spike_of_50_ms_is_in_the_peak(fluster, examples):
    job = json.loads(fluster(*PROCESS, "--json", examples / "spike", "--", "python", "spike.py").out)
    assert job["resources"]["memory_peak_bytes"] >= 300 << 20
    assert job["resources"]["memory_peak_source"] == "kernel"


@pytest.mark.cgroup
def test_a_job_of_milliseconds_has_exact_figures(fluster, examples):
    job = json.loads(fluster(*PROCESS, "--json", examples / "short", "--", "./short.sh").out)
    figures = job["resources"]
    assert figures["cpu_source"] == figures["memory_peak_source"] == figures["processes_peak_source"] == "kernel"
    assert figures["cpu_user_seconds"] + figures["cpu_system_seconds"] > 0
    assert figures["memory_peak_bytes"] > 0


def test_nothing_of_a_tree_is_alive_afterwards(fluster, examples):
    job = f"tree-{os.getpid()}"
    with fluster.started(*PROCESS, "--id", job, examples / "tree", "--", "python", "tree.py") as process:
        assert process.stdout.readline().startswith(b"3 children and a grandchild")
        assert len(members(job)) >= 5, "the look finds what is alive"
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert members(job) == []


def members(job):
    """Processes of the job, wherever they went: children inherit its environment."""
    found = []
    for place in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if f"FLUSTER_JOB_ID={job}".encode() in place.read_bytes().split(b"\0"):
                found.append(place.parent.name)
    return found


def test_every_byte_is_the_jobs_own_and_the_last_line_stays_unfinished(fluster, examples):
    alone = subprocess.run([sys.executable, "chatty.py"], cwd=examples / "chatty", capture_output=True, check=True)
    result = fluster(*PROCESS, examples / "chatty", "--", "python", "chatty.py")
    assert result.code == 0
    assert result.out == alone.stdout
    assert alone.stderr.decode() in result.err


@pytest.mark.parametrize("text", ["", "a", "a\n", "a\\nb", "a\\n\\n", "\\n"])
def test_newlines_are_those_that_the_job_wrote(fluster, text):
    result = fluster(*PROCESS, "--", "printf", text)
    assert result.code == 0
    assert result.out.decode() == text.replace("\\n", "\n")


def test_json_is_one_document_and_the_jobs_words_go_to_stderr(fluster):
    result = fluster(*PROCESS, "--json", "--id", "j", "--name", "n", "--", "sh", "-c", "echo out; echo err >&2; exit 4")
    job = json.loads(result.out)
    assert (result.code, job["job_id"], job["name"], job["status"], job["exit_code"]) == (4, "j", "n", "failed", 4)
    assert job["end_reason"] == "exit_code"
    assert job["logs"]["lines"] | {"build": 0} == {"build": 0, "stdout": 1, "stderr": 1}
    assert result.err.endswith("\nout\nerr\n") or result.err.endswith("\nerr\nout\n")


@pytest.mark.usefixtures("wheel")
def test_the_second_run_of_an_environment_is_a_hit_for_another_job(fluster, folder):
    place = folder(requirements__txt="tiny==1.0\n", main__py="import tiny\nprint(tiny.word)\n")
    first = fluster(*PROCESS, place, "--", "python", "main.py")
    (place / "main.py").write_text("import tiny\nprint(tiny.word * 2)\n")
    second = fluster(*PROCESS, place, "--", "python", "main.py")
    assert (first.out, second.out) == (b"tiny\n", b"tinytiny\n"), first.err + second.err
    assert summary(first)["build"].endswith("(built)")
    assert "+ tiny==1.0" in first.err
    assert summary(second)["build"].endswith("(from cache)")


@pytest.mark.usefixtures("wheel")
def test_a_build_that_fails_says_why_and_ends_with_125(fluster, folder):
    result = fluster(*PROCESS, folder(requirements__txt="surely-not-there==9\n"), "--", "python", "-V")
    assert result.code == 125
    assert "surely-not-there" in result.err
    assert " failed: " in summary(result)["job"]


def test_a_command_that_is_not_there_ends_with_125_and_its_name(fluster):
    result = fluster(*PROCESS, "--", "no-such-program")
    assert result.code == 125
    assert "no-such-program" in summary(result)["job"]


def test_variables_are_given_and_passed_on(fluster):
    fluster.env["PASSED"] = "on"
    words = (
        "--env",
        "GIVEN=a=b",
        "-e",
        "PASSED",
        "--port",
        "web",
        "--",
        "sh",
        "-c",
        'echo "$GIVEN $PASSED $FLUSTER_PORT_WEB"',
    )
    result = fluster(*PROCESS, *words)
    assert re.fullmatch(rb"a=b on \d+\n", result.out), result.err


def test_an_id_is_not_used_twice(fluster):
    assert fluster(*PROCESS, "--id", "same", "--", "true").code == 0
    result = fluster(*PROCESS, "--id", "same", "--", "true")
    assert result.code == 125
    assert result.err.startswith("fluster: ")
    assert "same" in result.err


@pytest.mark.parametrize("signals", [(signal.SIGINT,), (signal.SIGTERM,)])
def test_ctrl_c_asks_the_job_to_end_and_waits_for_it(fluster, signals):
    script = "trap 'echo ending; exit 7' TERM; echo ready; while :; do sleep 0.05; done"
    with fluster.started(*PROCESS, "--", "sh", "-c", script) as process:
        assert process.stdout.readline() == b"ready\n"
        for each in signals:
            process.send_signal(each)
        out, err = process.communicate(timeout=30)
    assert out == b"ending\n"
    assert process.returncode == 7
    assert b"killed" in err


def test_a_second_ctrl_c_ends_the_job_now(fluster):
    script = "trap 'echo no' TERM; echo ready; while :; do sleep 0.05; done"
    with fluster.started(*PROCESS, "--grace", "1h", "--", "sh", "-c", script) as process:
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == b"no\n"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 137
