"""`meters.toml` read and checked."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from services.quota_svc.domain.meter import Meter, MeterTable

METERS = Path(__file__).with_name("meters.toml")


class MeterEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z_]{0,39}$")
    units: str = Field(min_length=1)
    soft_limit_percent: int = Field(ge=1, le=100)


class MetersFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    meter: list[MeterEntry] = Field(min_length=1)


def meters(file: Path = METERS) -> MeterTable:
    """Every meter of the file; ValidationError names every fault of it."""
    parsed = MetersFile.model_validate(tomllib.loads(file.read_text()))
    return MeterTable(Meter(one.name, one.units, one.soft_limit_percent) for one in parsed.meter)
