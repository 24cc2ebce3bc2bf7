"""The `[[audio]]` tables of `models.toml`: models that hear or speak."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.chat_svc.domain.audio import AudioModel, Task
from services.chat_svc.models.models import SERVER, Dollars, ModelsError, Variable


def _server(address: str) -> str:
    """The address of a server as it was said; ValueError when it is none."""
    SERVER.validate_python(address)
    return address


Voice = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")]


class AudioEntry(BaseModel):
    """One `[[audio]]`; what its fields mean stands in the file."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$", max_length=100)
    task: Task
    model: str = Field(min_length=1)
    key_variable: Variable = ""
    base_url: Annotated[str, AfterValidator(_server)] = ""
    base_url_variable: Variable = ""
    unless_variable: Variable = ""
    model_variable: Variable = ""
    voices: list[Voice] = []
    characters_max: int = Field(4_096, ge=100)
    told_length: bool = False
    price: Dollars = Decimal(0)

    @model_validator(mode="after")
    def _makes_sense(self) -> AudioEntry:
        if not (self.key_variable or self.base_url_variable):
            raise ValueError("needs a key_variable or a base_url_variable, or nothing says that it can be reached")
        if self.base_url and self.base_url_variable:
            raise ValueError("takes either a base_url or a base_url_variable")
        if (self.task is Task.SPEECH) != bool(self.voices):
            raise ValueError("needs voices if it speaks, and none if it hears")
        return self

    def reached(self, environment: Mapping[str, str]) -> tuple[AudioModel, str] | None:
        """The model and its key, if the environment has what it needs: the server's address, where one is named."""
        key = environment.get(self.key_variable, "")
        told_url = environment.get(self.base_url_variable, "")
        needed = told_url if self.base_url_variable else key
        if not needed or environment.get(self.unless_variable):
            return None
        model = AudioModel(
            self.id,
            self.task,
            environment.get(self.model_variable) or self.model,
            told_url or self.base_url,
            tuple(self.voices),
            self.characters_max,
            self.told_length,
            self.price,
        )
        return model, key


class AudioFile(BaseModel):
    """The tables of the file that are read here; `models.py` reads the others."""

    model_config = ConfigDict(extra="ignore")

    audio: list[AudioEntry] = []


def audible(path: Path, environment: Mapping[str, str]) -> tuple[tuple[AudioModel, str], ...]:
    """The models of a file that the environment reaches, each with its key, in the file's order; ModelsError."""
    try:
        said = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
        file = AudioFile.model_validate(said)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelsError([f"{path.name}: {error}"]) from error
    except OSError as error:
        raise ModelsError([f"{path}: {error.strerror}"]) from error
    except ValidationError as error:
        shape = [f"{_place(fault['loc'], said)}: {fault['msg']}" for fault in error.errors()]
        raise ModelsError([f"{path.name}: {fault}" for fault in shape]) from error
    if faults := [*_twice(file), *_strays(file, environment)]:
        raise ModelsError([f"{path.name}: {fault}" for fault in faults])
    found = (entry.reached(environment) for entry in file.audio)
    return tuple(one for one in found if one is not None)


def _twice(file: AudioFile) -> list[str]:
    counts = Counter(entry.id for entry in file.audio)
    return [f"audio.{name}: stands there more than once" for name, count in counts.items() if count > 1]


def _strays(file: AudioFile, environment: Mapping[str, str]) -> list[str]:
    """Addresses in the environment that are none."""
    faults = []
    for entry in file.audio:
        if address := environment.get(entry.base_url_variable, ""):
            try:
                _server(address)
            except ValidationError as error:
                faults.append(f"audio.{entry.id}: {entry.base_url_variable}: {error.errors()[0]['msg']}")
    return faults


def _place(location: tuple[int | str, ...], said: Mapping[str, Any]) -> str:
    """Where a fault is, an entry by its id where it has one."""
    match location:
        case ("audio", int(number), *rest):
            entry = said["audio"][number]
            name = entry.get("id") if isinstance(entry, dict) else None
            return ".".join(str(part) for part in ("audio", name or number, *rest))
    return ".".join(str(part) for part in location)
