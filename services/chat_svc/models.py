"""`models.toml`, and which of its models this machine can reach."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from services.chat_svc.domain.model import Model, Wire

MODELS = Path(__file__).with_name("models.toml")


class ModelEntry(BaseModel):
    """One `[[model]]`; what its fields mean stands at the top of the file."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$", max_length=100)
    wire: Wire
    model: str = ""
    key_variable: str = ""
    base_url_variable: str = ""
    base_url_required: bool = False
    unless_variable: str = ""
    model_variable: str = ""
    context_tokens: int = Field(ge=512)
    output_tokens_max: int = Field(ge=16)
    first_word_seconds: float = Field(gt=0)

    def reached(self, environment: Mapping[str, str]) -> tuple[Model, str] | None:
        """The model and its key, if the environment has what it needs."""
        key = environment.get(self.key_variable, "")
        base_url = environment.get(self.base_url_variable, "")
        needed = base_url if self.base_url_required else key or base_url
        if not needed or environment.get(self.unless_variable):
            return None
        name = environment.get(self.model_variable) or self.model
        model = Model(
            self.id,
            self.wire,
            name,
            base_url,
            self.context_tokens,
            self.output_tokens_max,
            self.first_word_seconds,
        )
        return model, key


class ModelsFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: list[ModelEntry]


def reachable(path: Path, environment: Mapping[str, str]) -> tuple[tuple[Model, str], ...]:
    """The models of a file that the environment reaches, each with its key, in the file's order."""
    file = ModelsFile.model_validate(tomllib.loads(path.read_text("utf-8")))
    found = (entry.reached(environment) for entry in file.model)
    return tuple(one for one in found if one is not None)
