"""The environment of chat_svc. Which models it reaches stands in the variables that `models.toml` names."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from runtime.settings import ProcessSettings


class Settings(ProcessSettings):
    # A variable that is set and empty is as good as none.
    model_config = SettingsConfigDict(env_ignore_empty=True)

    postgres_dsn: SecretStr = Field(description="postgresql:// of the database with the schema `chat`")
    tmdb_key: SecretStr | None = Field(
        None, description="The Movie Database's key, v3 or v4; without it, characters have no portrait from it"
    )
    tmdb_url: str = Field("https://api.themoviedb.org/3", description="where its API is")
    wikipedia_url: str | None = Field(
        None, description="Wikipedia's REST API, https://en.wikipedia.org/api/rest_v1; without it, no portrait from it"
    )
    models: Path | None = Field(None, description="another models.toml than the one that ships")
