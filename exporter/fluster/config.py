"""The settings of a worker: one list of names for options (--max-jobs), variables (FLUSTER_MAX_JOBS) and the TOML file (max_jobs).

Order: option, variable, file, default. Only this module reads FLUSTER_* variables.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from fluster.sizes import parse_duration, parse_size

__all__ = ["Duration", "Settings", "Size", "cache_home", "state_home", "worker_token", "worker_url"]


def state_home() -> Path:
    """`$XDG_STATE_HOME/fluster`, by default `~/.local/state/fluster`."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "fluster"


def cache_home() -> Path:
    """`$XDG_CACHE_HOME/fluster`, by default `~/.cache/fluster`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fluster"


def _size(value: object) -> object:
    return parse_size(value) if isinstance(value, str) else value


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


Size = Annotated[int, BeforeValidator(_size), Field(gt=0)]
"""Bytes, written `512m`."""
Duration = Annotated[float, BeforeValidator(_duration), Field(ge=0)]
"""Seconds, written `10m`."""


class Settings(BaseSettings):
    """One worker's settings; every field has its meaning in `description`, which --help shows."""

    model_config = SettingsConfigDict(env_prefix="FLUSTER_", extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on; any but loopback needs a token or --insecure.")
    port: int = Field(8080, ge=0, le=65535, description="TCP port to listen on; 0 takes a free one.")
    runtime: Literal["auto", "docker", "process", "fake"] = Field(
        "auto", description="What runs the jobs; auto takes docker where an engine answers, else process."
    )
    state_dir: Path = Field(default_factory=state_home, description="Jobs, logs, bundles and work directories.")
    cache_dir: Path = Field(
        default_factory=cache_home, description="Virtual environments and uv's cache; may be shared by workers."
    )
    worker_id: str = Field(
        default_factory=lambda: socket.gethostname() or "worker",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
        description="Name of this worker in labels, metrics and cgroups; each worker of a machine needs its own.",
    )
    max_jobs: int = Field(
        default_factory=lambda: max(os.cpu_count() or 1, 1), ge=1, description="Jobs that run at once."
    )
    queue_limit: int = Field(1000, ge=0, description="Jobs that may wait; one more is refused.")
    token_file: Path | None = Field(None, description="File with the bearer token that every request must carry.")
    token: SecretStr | None = Field(None, description="The token itself, for FLUSTER_TOKEN; prefer a file.")
    metrics_token_file: Path | None = Field(None, description="File with a token that may read /metrics only.")
    insecure: bool = Field(default=False, description="Listen beyond loopback without a token.")
    allowed_hosts: str = Field(
        "",
        description="Names by which this worker may be addressed, separated by commas, beside loopback's; empty for any where it listens beyond loopback.",
    )

    default_cpus: float | None = Field(None, gt=0, description="CPU limit of jobs that ask for none, in cores.")
    default_memory: Size | None = Field(None, description="Memory limit of jobs that ask for none.")
    default_pids: int | None = Field(None, ge=1, description="Limit on processes of jobs that ask for none.")
    default_disk: Size | None = Field(None, description="Disk limit of jobs that ask for none.")
    default_timeout: Duration | None = Field(None, description="Run timeout of jobs that ask for none.")
    build_timeout: Duration = Field(1800.0, description="Build timeout of jobs that ask for none.")
    build_memory: Size | None = Field(None, description="Memory limit of a build.")
    build_cpus: float | None = Field(None, gt=0, description="CPU limit of a build, in cores.")

    base_image: str = Field(
        "python:{python}-slim", description="Image that docker builds start from; {python} is the job's Python."
    )
    default_python: str = Field("3.11", pattern=r"^3\.\d+$", description="Python of docker builds that name none.")
    build_network: str = Field("default", description="Network of docker builds: default, host or none.")
    image_cache_limit: Size = Field(
        20 * 1024**3, description="Built images beyond this are evicted, least recently used first."
    )
    environment_cache_limit: Size = Field(10 * 1024**3, description="Virtual environments beyond this are evicted.")
    bundle_cache_limit: Size = Field(5 * 1024**3, description="Bundles beyond this are evicted.")
    max_bundle_size: Size = Field(1024**3, description="Largest bundle, packed.")
    max_bundle_expanded: Size = Field(4 * 1024**3, description="Largest bundle, unpacked.")
    max_bundle_entries: int = Field(100_000, ge=1, description="Most files and folders of a bundle.")
    max_request: Size = Field(16 * 1024**2, description="Largest request body but a bundle's.")

    stats_interval: Duration = Field(1.0, gt=0.0, description="Seconds between two readings of all live figures.")
    metrics_retention: Duration = Field(900.0, description="How long a finished job stays in /metrics.")
    metrics_max_finished: int = Field(1000, ge=0, description="How many finished jobs stay in /metrics at most.")
    max_line: Size = Field(1024**2, description="Longest log line kept in one entry; a longer one is stored in parts.")
    max_job_log: Size = Field(
        4 * 1024**3, description="What one log of a job may take on the disk; its oldest lines go beyond it."
    )
    max_logs: Size = Field(20 * 1024**3, description="What all logs may take on the disk; the oldest go beyond it.")
    log_segment: Size = Field(64 * 1024**2, description="Size at which a log's file is closed and a new one begun.")
    keep_logs_for: Duration = Field(30 * 86400.0, description="How long lines are kept in logs.")
    keep_jobs: int = Field(10_000, ge=0, description="Finished jobs that are remembered at most.")
    keep_for: Duration = Field(30 * 86400.0, description="How long a finished job is remembered.")
    min_free_disk: Size = Field(
        512 * 1024**2, description="/readyz fails below this much free space in the state directory."
    )
    grafana_url: str = Field("", description="Address of Grafana for links from the job page; empty for none.")
    drain: Literal["wait", "kill", "leave"] = Field("kill", description="What SIGTERM does to jobs that run.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Level of the worker's own log."
    )

    @classmethod
    def load(cls, config: Path | None = None, **options: Any) -> Settings:
        """Settings from `options` (None means not given), FLUSTER_* variables and the TOML file `config`.

        Raises pydantic.ValidationError; FileNotFoundError where `config` is named and missing.
        """
        if config is not None and not config.is_file():
            raise FileNotFoundError(f"--config: there is no file {config}")

        class Loaded(cls):  # type: ignore[misc, valid-type] # pydantic-settings takes the file's path from a class only
            @classmethod
            def settings_customise_sources(
                cls,
                settings_cls: type[BaseSettings],
                init_settings: PydanticBaseSettingsSource,
                env_settings: PydanticBaseSettingsSource,
                dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
                file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
            ) -> tuple[PydanticBaseSettingsSource, ...]:
                return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config))

        loaded: Settings = Loaded(**{name: value for name, value in options.items() if value is not None})
        return loaded

    @model_validator(mode="after")
    def _no_open_door(self) -> Settings:
        if not (self.loopback or self.insecure or self.token_file or self.token):
            raise ValueError(
                f"host: {self.host} can be reached from elsewhere; give --token-file FILE, or --insecure if you mean it"
            )
        return self

    @property
    def loopback(self) -> bool:
        """True where only this machine can reach the worker."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def host_names(self) -> frozenset[str]:
        """`allowed_hosts`, as a Host header is compared with them."""
        return frozenset(name.strip().lower() for name in self.allowed_hosts.split(",") if name.strip())

    def read_token(self) -> str | None:
        """The bearer token, or None. Raises OSError where the file cannot be read."""
        if self.token_file is not None:
            return self.token_file.read_text().strip()
        return self.token.get_secret_value() if self.token else None

    def read_metrics_token(self) -> str | None:
        return self.metrics_token_file.read_text().strip() if self.metrics_token_file else None


def worker_url() -> str:
    """Where commands and clients find the worker: FLUSTER_URL, by default the local one."""
    return os.environ.get("FLUSTER_URL", "http://127.0.0.1:8080").rstrip("/")


def worker_token() -> str | None:
    """The token that commands and clients send: FLUSTER_TOKEN, or what is in FLUSTER_TOKEN_FILE. Raises OSError where that cannot be read."""
    if token := os.environ.get("FLUSTER_TOKEN"):
        return token
    file = os.environ.get("FLUSTER_TOKEN_FILE")
    return Path(file).read_text().strip() or None if file else None
