"""The environment of search_svc."""

from pydantic import Field, SecretStr

from runtime.settings import ProcessSettings


class Settings(ProcessSettings):
    postgres_dsn: SecretStr = Field(description="postgresql:// of the database with the schema `search`")
