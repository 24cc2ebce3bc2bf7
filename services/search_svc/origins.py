"""Which source a sync brings its titles from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from functools import partial
from uuid import UUID

from runtime.errors import FailedPrecondition
from services.search_svc.domain.sync import Sync
from services.search_svc.sources.file import FileSource
from services.search_svc.sources.source import Source, SourceError

NOT_CONFIGURED = {
    "tmdb": (
        "TMDB needs a key: set SCENEMESH_TMDB_KEY for search_svc and start it again. "
        "Until then the catalogue that ships with it goes on serving."
    ),
}


class Origins:
    """`web` are the sources on the web that are configured, `chunks` reads the file of a sync."""

    def __init__(self, web: Iterable[Source], chunks: Callable[[UUID], AsyncIterator[bytes]]) -> None:
        self._web = {source.name: source for source in web}
        self._chunks = chunks

    def require(self, source: str) -> None:
        """FAILED_PRECONDITION when the source is not configured."""
        if source not in self._web:
            raise FailedPrecondition(
                _not_configured(source), reason="SOURCE_NOT_CONFIGURED", metadata={"source": source}
            )

    def source(self, sync: Sync) -> Source:
        """The source of a sync; SourceError when it is not configured."""
        if sync.upload is not None:
            chunks = partial(self._chunks, sync.id)
            return FileSource(sync.collection, sync.upload.format, sync.upload.gzip, chunks)
        if sync.source not in self._web:
            raise SourceError(_not_configured(sync.source))
        return self._web[sync.source]


def _not_configured(source: str) -> str:
    return NOT_CONFIGURED.get(source, f"This service has no source that is called {source}.")
