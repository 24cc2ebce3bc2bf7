"""`meters.toml` read and checked."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.quota_svc.domain.meter import CREDITS, Meter, MeterTable

METERS = Path(__file__).with_name("meters.toml")


class MeterEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z_]{0,39}$")
    units: str = Field(min_length=1)
    soft_limit_percent: int = Field(ge=1, le=100)
    price: int = Field(0, ge=0, le=1_000_000)


class MetersFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    meter: list[MeterEntry] = Field(min_length=1)

    @model_validator(mode="after")
    def _payable(self) -> "MetersFile":
        names = {one.name for one in self.meter}
        if CREDITS not in names and any(one.price for one in self.meter):
            raise ValueError(f"a price is in {CREDITS}, and there is no such meter")
        if any(one.price for one in self.meter if one.name == CREDITS):
            raise ValueError(f"{CREDITS} cannot be paid for with {CREDITS}")
        return self


def meters(file: Path = METERS) -> MeterTable:
    """Every meter of the file; ValidationError names every fault of it."""
    parsed = MetersFile.model_validate(tomllib.loads(file.read_text()))
    return MeterTable(Meter(one.name, one.units, one.soft_limit_percent, one.price) for one in parsed.meter)
