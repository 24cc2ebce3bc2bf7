"""`models.toml` read and checked: a file with faults is refused with all of them named."""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from services.chat_svc.domain.hedging import Hedging
from services.chat_svc.domain.model import SILENCE_SECONDS_MAX, Capability, Class, Limits, Model, Prices, Wire

MODELS = Path(__file__).with_name("models.toml")

SERVER = TypeAdapter(AnyHttpUrl)


def _server(address: str) -> str:
    """The address of a server as it was said; ValueError when it is none."""
    SERVER.validate_python(address)
    return address


Dollars = Annotated[Decimal, Field(ge=0, le=10_000)]
Variable = Annotated[str, Field(pattern=r"^([A-Z][A-Z0-9_]*)?$")]
Seconds = Annotated[float, Field(gt=0, le=SILENCE_SECONDS_MAX)]


class ModelsError(Exception):
    """The file breaks a rule; `faults` names every one, a line each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class PricesEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    input: Dollars
    cached: Dollars
    output: Dollars

    def prices(self) -> Prices:
        return Prices(self.input, self.cached, self.output)


class ModelEntry(BaseModel):
    """One `[[model]]`; what its fields mean stands at the top of the file."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$", max_length=100)
    wire: Wire
    model: str = ""
    key_variable: Variable = ""
    base_url: Annotated[str, AfterValidator(_server)] = ""
    base_url_variable: Variable = ""
    base_url_required: bool = False
    unless_variable: Variable = ""
    model_variable: Variable = ""
    model_class: Class = Field(alias="class")
    context_tokens: int = Field(ge=512)
    output_tokens_max: int = Field(ge=16)
    window_tokens: int | None = Field(None, ge=256)
    first_word_seconds: Seconds
    idle_seconds: Seconds
    prices: PricesEntry | None = None
    capabilities: frozenset[Capability] = frozenset()
    tokens_per_turn: int = Field(ge=1)
    last_resort: bool = False
    extra: dict[str, Any] = {}

    @model_validator(mode="after")
    def _makes_sense(self) -> "ModelEntry":
        if faults := list(self._faults()):
            raise ValueError("; ".join(faults))
        return self

    def _faults(self) -> Iterator[str]:
        if not (self.key_variable or self.base_url_variable):
            yield "needs a key_variable or a base_url_variable, or nothing says that it can be reached"
        if self.base_url and self.base_url_variable:
            yield "takes either a base_url or a base_url_variable"
        if self.base_url_required and not self.base_url_variable:
            yield "needs a base_url_variable, because its base URL is required"
        if self.output_tokens_max >= self.context_tokens:
            yield "leaves no room for a prompt: output_tokens_max is not less than context_tokens"
        elif (self.window_tokens or 0) > self.context_tokens - self.output_tokens_max:
            yield "has a larger window than room: window_tokens is more than context_tokens without output_tokens_max"

    def reached(self, environment: Mapping[str, str]) -> tuple[Model, str] | None:
        """The model and its key, if the environment has what it needs."""
        key = environment.get(self.key_variable, "")
        told_url = environment.get(self.base_url_variable, "")
        needed = told_url if self.base_url_required else key or told_url
        if not needed or environment.get(self.unless_variable):
            return None
        model = Model(
            id=self.id,
            wire=self.wire,
            provider_model=environment.get(self.model_variable) or self.model,
            base_url=told_url or self.base_url,
            context_tokens=self.context_tokens,
            output_tokens_max=self.output_tokens_max,
            limits=Limits(self.first_word_seconds, self.idle_seconds),
            model_class=self.model_class,
            prices=self.prices.prices() if self.prices else Prices(),
            capabilities=self.capabilities,
            tokens_per_turn=self.tokens_per_turn,
            last_resort=self.last_resort,
            window_tokens=self.window_tokens,
            extra=self.extra,
        )
        return model, key


class HedgingEntry(BaseModel):
    """`[hedging]`."""

    model_config = ConfigDict(extra="forbid")

    after_times: float = Field(ge=1, le=100)
    budget_percent: int = Field(ge=1, le=100)

    def hedging(self) -> Hedging:
        return Hedging(self.after_times, self.budget_percent)


class ModelsFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    hedging: HedgingEntry | None = None
    model: list[ModelEntry] = Field(min_length=1)
    # Those that hear and speak are read in audio_models.py.
    audio: list[dict[str, Any]] = []


@dataclass(frozen=True)
class Reached:
    """The models of a file that the environment reaches, each with its key, in the file's order, and their rules."""

    models: tuple[tuple[Model, str], ...]
    hedging: Hedging | None = None


def reached(path: Path, environment: Mapping[str, str]) -> Reached:
    """What a file says.

    ModelsError when the file has faults, also in what is not reached, or the environment has an address that is none.
    """
    try:
        said = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelsError([f"{path.name}: {error}"]) from error
    except OSError as error:
        raise ModelsError([f"{path}: {error.strerror}"]) from error
    twice = [f"model.{name}: stands there more than once" for name in _twice(said)]
    try:
        file = ModelsFile.model_validate(said)
    except ValidationError as error:
        shape = [f"{_place(fault['loc'], said)}: {fault['msg']}" for fault in error.errors()]
        raise ModelsError([f"{path.name}: {fault}" for fault in [*shape, *twice]]) from error
    if faults := [*twice, *_strays(file, environment)]:
        raise ModelsError([f"{path.name}: {fault}" for fault in faults])
    found = (entry.reached(environment) for entry in file.model)
    models = tuple(one for one in found if one is not None)
    return Reached(models, file.hedging.hedging() if file.hedging else None)


def _strays(file: ModelsFile, environment: Mapping[str, str]) -> Iterator[str]:
    for entry in file.model:
        if address := environment.get(entry.base_url_variable, ""):
            try:
                _server(address)
            except ValidationError as error:
                yield f"model.{entry.id}: {entry.base_url_variable}: {error.errors()[0]['msg']}"


def _twice(said: Mapping[str, Any]) -> list[str]:
    ids = Counter(str(entry["id"]) for entry in _entries(said) if "id" in entry)
    return [name for name, count in ids.items() if count > 1]


def _entries(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    entries = said.get("model")
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _place(location: tuple[int | str, ...], said: Mapping[str, Any]) -> str:
    """Where a fault is, an entry by its id where it has one."""
    match location:
        case ("model", int(number), *rest):
            entry = said["model"][number]
            name = entry.get("id") if isinstance(entry, dict) else None
            return ".".join(str(part) for part in ("model", name or number, *rest))
    return ".".join(str(part) for part in location)
