"""The environment of quota_svc."""

from pydantic import Field, SecretStr

from runtime.settings import ProcessSettings


class Settings(ProcessSettings):
    postgres_dsn: SecretStr = Field(description="postgresql:// of the database with the schema `quota`")
    quota_shadow: bool = Field(False, description="whether limits are only watched: refusals are logged, uses go on")
