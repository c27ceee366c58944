"""`fluster`: the commands, and what becomes of errors: one sentence on stderr, exit code 125, never a traceback."""

from __future__ import annotations

import os
import sys

import typer

from fluster.cli import demo, kill, logs, ps, run, show, submit, version, wait, worker
from fluster.errors import FlusterError

__all__ = ["build", "main"]

OWN_FAILURE = 125
"""As docker run has it: Fluster failed, not the job."""


def build(words: list[str]) -> typer.Typer:
    """All commands. Their modules import what they need when they run: help stays fast.

    The options of `worker` are read from Settings only where `words` ask for them.
    """
    app = typer.Typer(
        name="fluster",
        help="Run jobs and see everything about them: exact figures, true logs, and why one died.",
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    wants_worker = "worker" in words[:2] or "_FLUSTER_COMPLETE" in os.environ
    app.command("worker")(worker.worker_command() if wants_worker else worker.worker)
    for name, command in (
        ("run", run.run),
        ("submit", submit.submit),
        ("ps", ps.ps),
        ("show", show.show),
        ("logs", logs.logs),
        ("wait", wait.wait),
        ("kill", kill.kill),
        ("demo", demo.demo),
        ("version", version.version),
    ):
        app.command(name)(command)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        version.version()
        raise typer.Exit


def _root(
    # Its callback runs before a command is missed.
    _version: bool = typer.Option(
        False, "--version", help="Print the version and exit.", is_eager=True, callback=_print_version
    ),
) -> None:
    return


def main(arguments: list[str] | None = None) -> None:
    """The entry point of the `fluster` command."""
    words = sys.argv[1:] if arguments is None else arguments
    command: list[str] = []
    if "--" in words:
        # Click would mix a folder before the dashes with the command behind them.
        at = words.index("--")
        words, command = words[:at], words[at + 1 :]
    try:
        code = build(words)(args=words or ["--help"], prog_name="fluster", standalone_mode=False, obj=command)
    except typer.Exit as exit_:
        code = exit_.exit_code
    except typer.TyperException as error:
        code = _fail(f"{error.format_message().rstrip('.')}; see fluster {words[0] if words else ''} --help")
    except typer.Abort:
        code = 130
    except FlusterError as error:
        code = _fail(str(error))
    except BrokenPipeError:
        # The reader of a pipe has seen enough; Python must not complain of it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 141
    except KeyboardInterrupt:
        code = 130
    except OSError as error:
        code = _fail(f"{error.filename or 'the system'}: {(error.strerror or str(error)).lower()}")
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        name = type(error).__name__
        code = _fail(f"this is a fault of Fluster ({name}: {error}); PYTHONDEVMODE=1 shows where, please report it")
    sys.exit(code if isinstance(code, int) else 0)


def _fail(sentence: str) -> int:
    print(f"fluster: {sentence}", file=sys.stderr)
    return OWN_FAILURE
