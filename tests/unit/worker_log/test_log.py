"""Who logs in this process, by whatever way: all of it is in the one shape."""

import asyncio
import json
import logging
import os
import sys
import threading
import warnings
from contextlib import closing, contextmanager

import anyio
import pytest
from loguru import logger

from fluster.worker_log import about, configure


@pytest.fixture
def logged(tmp_path):
    """A log into a file, for a block of its own: pytest puts its own stderr back before a test. Then the lines of it."""

    @contextmanager
    def start():
        lines = []
        with (tmp_path / "err").open("w") as stream, closing(configure("INFO", alone=True, stream=stream)) as log:
            yield log, lines
        lines += [json.loads(line) for line in (tmp_path / "err").read_text().splitlines()]

    return start


@pytest.fixture
def terminal(monkeypatch):
    """What a terminal gets from a log, by environment."""

    def shown(**environment):
        for name in ("NO_COLOR", "TERM"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        master, slave = os.openpty()
        with os.fdopen(slave, "w") as stream:
            log = configure("INFO", alone=True, stream=stream)
            log.announce("it is here")
            logger.info("a name: {}", "\x1b[31mred\nINFO forged")
            log.close()
            found = ""
            while not found.endswith("forged\r\n"):
                found += os.read(master, 65536).decode()
        os.close(master)
        return found.replace("\r\n", "\n")

    return shown


def test_standard_logging_goes_the_same_way(logged):
    with logged() as (_, lines):
        logging.getLogger("urllib3.connectionpool").warning("a\nb %s", {"c": 1})
        logging.getLogger("uvicorn.error").info("too little to be told")
        logging.getLogger("docker").error("%d of nothing", "a word")
        logging.getLogger("other").log(35, "between")
        try:
            raise OSError("gone")
        except OSError:
            logging.getLogger("asyncio").exception("seen")
    assert [(line["level"], line["message"]) for line in lines] == [
        ("warning", "a\nb {'c': 1}"), ("error", "%d of nothing"), ("warning", "between"), ("error", "seen"),
    ]  # fmt: skip
    assert lines[-1]["error"] == "OSError: gone"


def test_warnings_errors_that_nobody_caught_and_prints_go_the_same_way(logged):
    def fail():
        raise LookupError("in a thread")

    class Careless:
        def __del__(self):
            raise KeyError("in a destructor")

    with logged() as (_, lines):
        warnings.showwarning("old ways", DeprecationWarning, "here.py", 3)
        thread = threading.Thread(target=fail, name="worn")
        thread.start()
        thread.join()
        Careless()
        sys.excepthook(ValueError, ValueError("at last"), None)
        print("half ", end="", file=sys.stderr)
        print("and half\nanother", file=sys.stderr)
    assert [line["level"] for line in lines] == ["warning", "error", "error", "critical", "error", "error"]
    assert "DeprecationWarning: old ways" in lines[0]["message"]
    assert (lines[1]["message"], lines[1]["error"]) == (
        "the thread worn ended with an error that nobody caught", "LookupError: in a thread",
    )  # fmt: skip
    assert lines[2]["error"] == "KeyError: 'in a destructor'"
    assert lines[3]["error"] == "ValueError: at last"
    assert [line["message"] for line in lines[4:]] == ["half and half", "another"]


def test_the_loop_tells_an_error_without_the_arguments_of_its_callback(logged):
    def fail(_secret):
        raise ValueError("no")

    async def run(log):
        log.watch_loop()
        asyncio.get_running_loop().call_soon(fail, "a-long-secret")
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    with logged() as (log, lines):
        asyncio.run(run(log))
    (line,) = lines
    assert line["error"] == "ValueError: no"
    assert "a-long-secret" not in json.dumps({**line, "traceback": ""})


def test_a_line_that_comes_in_the_middle_of_another_is_told_too(logged):
    """As from a destructor."""

    class Talking:
        def __str__(self):
            logger.info("within")
            return "talking"

    with logged() as (_, lines):
        logger.opt(exception=OSError(Talking())).info("around")
    assert {line["message"] for line in lines} == {"within", "around"}


def test_what_is_said_about_a_job_is_bound_in_tasks_and_threads_and_stays_apart(logged):
    async def work(job_id):
        with about(job_id, "building"):
            logger.info("one")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(inner)
            await anyio.to_thread.run_sync(logging.getLogger("library").warning, "three")
        with about(job_id, "running"):
            logger.info("four")

    async def inner():
        await anyio.lowlevel.checkpoint()
        logger.info("two")

    async def both():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(work, "a")
            tasks.start_soon(work, "b")
        logger.info("none")

    with logged() as (_, lines):
        anyio.run(both)
    for job_id in "ab":
        mine = [(line["message"], line["phase"]) for line in lines if line.get("job_id") == job_id]
        assert mine == [("one", "building"), ("two", "building"), ("three", "building"), ("four", "running")]
    assert "job_id" not in lines[-1]


def test_what_is_announced_is_told_at_every_level(tmp_path):
    with (tmp_path / "err").open("w") as stream:
        log = configure("ERROR", stream=stream)
        log.announce("it is here")
        logger.warning("too little")
        log.close()
    (line,) = (tmp_path / "err").read_text().splitlines()
    assert (json.loads(line)["level"], json.loads(line)["message"]) == ("info", "it is here")


def test_a_log_that_ends_gives_back_what_it_took(tmp_path):
    before = (sys.stderr, sys.excepthook, sys.unraisablehook, threading.excepthook, warnings.showwarning)
    with (tmp_path / "err").open("w") as stream:
        configure("INFO", alone=True, stream=stream).close()
    assert before == (sys.stderr, sys.excepthook, sys.unraisablehook, threading.excepthook, warnings.showwarning)


def test_a_terminal_gets_text_in_colour(terminal):
    said, line = terminal(TERM="xterm").splitlines()
    assert said == "it is here"
    assert "\x1b[1mINFO   \x1b[0m" in line
    assert line.endswith(r"a name: \x1b[31mred\nINFO forged")


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour_where_it_is_not_wanted(terminal, environment):
    assert "\x1b" not in terminal(**environment)
