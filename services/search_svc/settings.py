"""The environment of search_svc."""

from pathlib import Path

from pydantic import Field, SecretStr

from runtime.settings import ProcessSettings


class Settings(ProcessSettings):
    postgres_dsn: SecretStr = Field(description="postgresql:// of the database with the schema `search`")
    index_directory: Path = Field(description="where index files are; the same directory for every replica")
    tmdb_key: SecretStr | None = Field(
        None, description="The Movie Database's key, v3 or v4; without it, no sync with it"
    )
    tmdb_url: str = Field("https://api.themoviedb.org/3", description="where its API is")
    tmdb_exports_url: str = Field("https://files.tmdb.org/p/exports", description="where its daily lists of ids are")
    jikan_url: str = Field("https://api.jikan.moe/v4", description="where Jikan is, for anime")
