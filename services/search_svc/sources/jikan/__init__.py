"""Anime from MyAnimeList, as Jikan tells it (https://docs.api.jikan.moe)."""

from services.search_svc.sources.jikan.connection import jikan
from services.search_svc.sources.jikan.source import JikanSource

__all__ = ["JikanSource", "jikan"]
