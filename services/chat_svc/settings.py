"""The environment of chat_svc. Which models it reaches stands in the variables that `models.toml` names."""

from pydantic import Field, SecretStr

from runtime.settings import ProcessSettings


class Settings(ProcessSettings):
    postgres_dsn: SecretStr = Field(description="postgresql:// of the database with the schema `chat`")
