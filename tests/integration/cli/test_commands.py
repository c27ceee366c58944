"""submit, ps, show, logs, wait and kill against a real worker."""

import json
import os
import pty
import re
import subprocess
import urllib.request

import pytest


def submitted(live, *words):
    result = live("submit", *words)
    assert result.code == 0, result.err
    return result.out.decode().removesuffix("\n")


def test_submit_prints_the_id_alone(live):
    result = live("submit", "--id", "alone", "--", "true")
    assert (result.code, result.out, result.err) == (0, b"alone\n", "")


def test_submit_sends_the_folder_once(live, folder):
    place = folder(main__py="print('from the folder')\n")
    for _ in range(2):
        job = submitted(live, place, "--", "python", "main.py")
        assert live("wait", job).code == 0
        assert live("logs", job, "--source", "stdout").out == b"from the folder\n"


def test_submit_follow_is_like_run(live):
    result = live("submit", "--follow", "--", "sh", "-c", "echo out; echo err >&2; exit 5")
    job, out = result.out.decode().splitlines()
    assert (result.code, out) == (5, "out")
    assert "err\n" in result.err
    assert live("wait", job).code == 5


def test_submit_json_is_the_jobs_document(live):
    job = live.json("submit", "--json", "--name", "n", "--", "true")
    assert (job["name"], job["command"]) == ("n", ["true"])
    job = live.json("submit", "--json", "--follow", "--", "echo", "x")
    assert (job["status"], job["logs"]["lines"]["stdout"]) == ("succeeded", 1)


def test_an_id_that_is_taken_is_refused(live):
    submitted(live, "--id", "taken", "--", "true")
    result = live("submit", "--id", "taken", "--", "true")
    assert result.code == 125
    assert re.fullmatch(r"fluster: .*taken.*\n", result.err)
    assert result.out == b""


@pytest.mark.parametrize("words", [["show"], ["logs"], ["logs", "-f"], ["wait"], ["kill"]])
def test_an_unknown_id_is_one_sentence(live, words):
    result = live(*words, "never-there")
    assert result.code == 125
    assert re.fullmatch(r"fluster: .*never-there.*\n", result.err)


def test_wait_ends_with_the_code_of_the_first_that_did_not_succeed(live):
    jobs = [submitted(live, "--", "sh", "-c", f"exit {code}") for code in (0, 6, 7)]
    result = live("wait", *jobs)
    assert result.code == 6
    assert [line.split(maxsplit=1)[1] for line in result.err.splitlines()] == [
        "succeeded", "failed: ended with exit code 6", "failed: ended with exit code 7",
    ]  # fmt: skip
    assert [each["exit_code"] for each in live.json("wait", "--json", *jobs)] == [0, 6, 7]


def test_show_tells_what_run_tells_and_json_is_the_apis_document(live):
    job = submitted(live, "--memory", "1g", "--", "sh", "-c", "echo 'a  b'")
    live("wait", job)
    text = live("show", job).out.decode()
    assert f"job        {job} succeeded\n" in text
    assert re.search(r"^memory +peak .* of 1.0 GiB \(", text, re.MULTILINE)
    assert """command    sh -c 'echo '"'"'a  b'"'"''\n""" in text
    assert f"page       {live.url}/job/{job}\n" in text
    with urllib.request.urlopen(f"{live.url}/api/jobs/{job}") as answer:  # noqa: S310 # the worker of this test
        assert live.json("show", "--json", job) == json.load(answer)


def test_ps_lists_newest_first_by_state_and_text(live):
    good = submitted(live, "--name", "listed", "--", "true")
    bad = submitted(live, "--name", "listed", "--", "false")
    live("wait", good, bad)
    rows = live("ps", "--text", "listed").out.decode().splitlines()
    assert rows[0].split() == ["JOB", "NAME", "STATE", "AGE", "RAN", "MEMORY", "CPU", "REASON"]
    assert [row.split()[:3] for row in rows[1:]] == [[bad, "listed", "failed"], [good, "listed", "succeeded"]]
    assert [each["job_id"] for each in live.json("ps", "--json", "--text", "listed", "--state", "failed")] == [bad]
    assert len(live.json("ps", "--json", "--limit", "1")) == 1
    result = live("ps", "--state", "asleep")
    assert (result.code, result.err.count("\n")) == (125, 1)
    assert "state: 'asleep' is none" in result.err


def test_colour_is_for_terminals_alone(live):
    live("wait", submitted(live, "--name", "colour", "--", "true"))
    piped = live("ps", "--text", "colour").out.decode()
    assert "\x1b" not in piped
    shown = on_terminal(live, "ps", "--text", "colour")
    assert "\x1b[32msucceeded" in shown
    assert re.sub(r"\x1b\[\d+m", "", shown).replace("\r", "").split()[:8] == piped.split()[:8]
    live.env["NO_COLOR"] = "1"
    try:
        assert "\x1b" not in on_terminal(live, "ps", "--text", "colour")
    finally:
        del live.env["NO_COLOR"]


def on_terminal(live, *words):
    ours, theirs = pty.openpty()
    with live.started(*words, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                block = os.read(ours, 65536)
            except OSError:  # a terminal whose other side is gone
                break
            if not block:
                break
            shown += block
        process.wait(20)
    os.close(ours)
    return shown.decode()


LINES = "for n in 1 2 3 4 5; do echo out $n; done; echo err >&2; printf '\\033[31mred\\033[0m'"


@pytest.fixture(scope="module")
def logged(live):
    job = submitted(live, "--", "sh", "-c", LINES)
    live("wait", job)
    return job


@pytest.mark.parametrize(
    ("options", "out"),
    [
        ((), "out 1\nout 2\nout 3\nout 4\nout 5\n\x1b[31mred\x1b[0m\n"),
        (("--source", "stdout", "--tail", "2"), "out 5\n\x1b[31mred\x1b[0m\n"),
        (("--grep", "out [24]"), "out 2\nout 4\n"),
        (("--grep", "^out", "--tail", "1"), "out 5\n"),
        (("--source", "build", "--source", "stderr"), ""),
        (("--since", "1h", "--grep", "out 3"), "out 3\n"),
        (("--until", "1h"), ""),
        (("--since", "2100-01-01T00:00:00Z"), ""),
        (("-f",), "out 1\nout 2\nout 3\nout 4\nout 5\n\x1b[31mred\x1b[0m\n"),
        (("-f", "--tail", "1"), "\x1b[31mred\x1b[0m\n"),
    ],
)  # fmt: skip
def test_logs_prints_what_is_asked_for(live, logged, options, out):
    result = live("logs", logged, *options)
    assert (result.code, result.out.decode()) == (0, out), result.err


def test_logs_have_their_times_and_are_json_for_programs(live, logged):
    lines = live("logs", logged, "--timestamps", "--source", "stdout").out.decode().splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z ", line) for line in lines)
    entries = [json.loads(line) for line in live("logs", logged, "--json", "--tail", "7").out.splitlines()]
    assert sorted(each["data"] for each in entries if each["source"] == "stderr") == ["err"]
    assert {each["source"] for each in entries} == {"stdout", "stderr"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--grep", "("), "grep"),
        (("--since", "soon"), "since: 'soon' is no time"),
        (("--source", "kitchen"), "source: 'kitchen' is none; use build, stdout or stderr"),
    ],
)
def test_a_bad_filter_is_named(live, logged, options, sentence):
    for more in ((), ("-f",)):
        result = live("logs", logged, *options, *more)
        assert (result.code, result.err.count("\n")) == (125, 1)
        assert sentence in result.err


def test_following_shows_lines_while_the_job_runs(live):
    job = submitted(live, "--", "sh", "-c", "echo first; while ! [ -e go ]; do sleep 0.05; done; echo last")
    with live.started("logs", "-f", job) as process:
        assert process.stdout.readline() == b"first\n"
        document = live.json("show", "--json", job)
        assert document["status"] == "running"
        found = list(live.home.rglob(f"work/{job}/source"))
        (found[0] / "go").touch()
        out, _ = process.communicate(timeout=20)
    assert (out, process.returncode) == (b"last\n", 0)


def test_a_reader_that_has_seen_enough_is_no_error(live):
    job = submitted(live, "--", "sh", "-c", "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done")
    live("wait", job)
    with live.started("logs", job, "--source", "stdout") as process:
        assert process.stdout.readline() == b"line 0\n"
        process.stdout.close()
        err = process.stderr.read()
        process.wait(20)
    assert err == b""


def test_kill_waits_for_the_confirmed_end(live):
    job = submitted(live, "--", "sleep", "3600")
    result = live("kill", job)
    assert result.code == 0
    assert f"{job} killed" in result.err
    assert live.json("show", "--json", job)["end_reason"] == "user"
    assert live("wait", job).code == 143
    assert live("kill", job).code == 0, "what is over stays as it is"


def test_kill_has_a_grace_and_several_ids(live):
    deaf = submitted(live, "--grace", "1h", "--", "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done")
    other = submitted(live, "--", "sleep", "3600")
    with live.started("logs", "-f", deaf) as process:
        assert process.stdout.readline() == b"ready\n"
        result = live("kill", "--grace", "100ms", deaf, other)
    assert result.code == 0, result.err
    assert live("wait", deaf).code == 137
    assert live("wait", other).code == 143


def test_a_waiting_job_is_killed_without_ever_starting(live):
    busy = [submitted(live, "--", "sleep", "3600") for _ in range(2)]
    waiting = submitted(live, "--", "touch", "/never")
    assert live.json("show", "--json", waiting)["status"] == "pending"
    live("kill", waiting)
    document = live.json("show", "--json", waiting)
    live("kill", *busy)
    assert (document["status"], document["end_reason"], document["run_started_at"]) == ("killed", "user", None)


def test_help_is_the_same_by_module(live):
    by_module = subprocess.run(
        [os.sys.executable, "-m", "fluster", "--help"], env=live.env, capture_output=True, check=True
    )  # fmt: skip
    assert by_module.stdout == live("--help").out
