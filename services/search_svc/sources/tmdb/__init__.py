"""Films and series from The Movie Database, TMDB (https://developer.themoviedb.org)."""

from services.search_svc.sources.tmdb.connection import tmdb
from services.search_svc.sources.tmdb.source import TmdbSource

__all__ = ["TmdbSource", "tmdb"]
