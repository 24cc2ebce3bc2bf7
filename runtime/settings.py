"""A process's environment as one frozen, typed value. Every fault is reported at once, before anything starts."""

import sys
from pathlib import Path
from typing import NoReturn, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

# sysexits.h: something was found in an unconfigured or misconfigured state.
EX_CONFIG = 78


class ProcessSettings(BaseSettings):
    """What every serving process is told."""

    model_config = SettingsConfigDict(env_prefix="SCENEMESH_", frozen=True, extra="ignore")

    listen: str = Field("127.0.0.1:0", pattern=r"^.+:\d{1,5}$", description="host:port to serve on; port 0 picks one")
    certificates: Path = Field(description="directory with this process's cert.pem, key.pem and ca.pem")
    trust_domain: str = Field("scenemesh.local", description="the SPIFFE trust domain of the mesh")
    redis_url: str = Field(description="redis://host:port or unix:///path of the registry and the live logs")
    control_plane: str = Field("", description="host:port of the mesh's ADS server")
    ready_file: Path | None = Field(None, description="where to write the bound host:port once serving")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    drain_seconds: float = Field(10.0, ge=0, le=3600, description="how long calls in flight may go on after SIGTERM")


Settings = TypeVar("Settings", bound=BaseSettings)


def load(settings: type[Settings]) -> Settings:
    """The settings from the environment; prints every fault as a line and exits with 78 if there is one."""
    try:
        return settings()
    except ValidationError as error:
        _refuse(settings, error)


def _refuse(settings: type[BaseSettings], error: ValidationError) -> NoReturn:
    prefix = settings.model_config.get("env_prefix", "")
    for fault in error.errors():
        name = ".".join(str(part) for part in fault["loc"])
        # A fault of several variables together has no place of its own.
        variable = name if name.isupper() or not name else f"{prefix}{name}".upper()
        said = ": ".join(filter(None, ["configuration", variable, fault["msg"].removeprefix("Value error, ")]))
        print(said, file=sys.stderr)  # noqa: T201 (no logs yet)
    sys.exit(EX_CONFIG)
