"""`fluster worker`: its options are the fields of Settings, all of them, by the same names."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = ["load_settings", "worker", "worker_command"]

Config = Annotated[Path | None, typer.Option(help="TOML file with settings.")]


def worker_command() -> Callable[..., None]:
    """The command with an option for every field of Settings. Reading Settings costs more than the rest of `fluster --help`."""
    from fluster.config import Settings

    annotations: dict[str, Any] = {"config": Config}
    for name, field in Settings.model_fields.items():
        if name == "token":
            continue  # a secret on a command line is seen by everyone
        if field.annotation is bool:
            annotations[name] = Annotated[
                bool | None, typer.Option(f"--{name.replace('_', '-')}", help=field.description)
            ]
        else:
            metavar = name.rsplit("_", 1)[-1].upper()
            annotations[name] = Annotated[str | None, typer.Option(help=field.description, metavar=metavar)]

    def command(**options: Any) -> None:
        _start(**options)

    command.__doc__ = worker.__doc__
    command.__annotations__ = annotations
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined] # how typer learns the options
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
            for name, kind in annotations.items()
        ]
    )
    return command


def load_settings(config: Path | None = None, **options: Any) -> Any:
    """Settings, or FlusterError with one sentence that names the option."""
    from pydantic import ValidationError

    from fluster.config import Settings
    from fluster.errors import InvalidArgumentError

    try:
        return Settings.load(config, **options)
    except ValidationError as error:
        first = error.errors()[0]
        sentence = first["msg"].removeprefix("Value error, ")
        if not first["loc"]:
            field, _, sentence = sentence.partition(": ")
            raise InvalidArgumentError(f"--{field}", sentence) from None
        field = str(first["loc"][0]).removeprefix("FLUSTER_").lower().replace("_", "-")
        raise InvalidArgumentError(f"--{field}", f"{sentence} (got {str(first['input'])[:60]!r})") from None
    except (FileNotFoundError, ValueError) as error:
        raise InvalidArgumentError("--config", str(error).removeprefix("--config: ")) from None


def worker() -> None:
    """Start a worker: it runs jobs and shows everything about them, until SIGTERM or Ctrl-C."""
    _start()


def _start(config: Path | None = None, **options: Any) -> None:
    from fluster.app import serve
    from fluster.cli.terminal import run_async
    from fluster.worker_log import configure

    settings = load_settings(config, **options)
    log = configure(settings.log_level, alone=True)

    def ready(url: str) -> None:
        log.announce(f"fluster worker {settings.worker_id}: {url}  metrics {url}/metrics  API {url}/api/openapi.json")

    async def work() -> None:
        log.watch_loop()
        await serve(settings, ready)

    try:
        run_async(work)
    finally:
        log.flush()  # before the sentence on why it ends
