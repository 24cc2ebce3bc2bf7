"""The RPCs of SearchService."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, Protocol

import grpc

from runtime import pages
from runtime.errors import InvalidArgument, Violation
from scenemesh.search.v1 import search_pb2, search_pb2_grpc
from services.search_svc.cache import QueryCache
from services.search_svc.convert import search as convert
from services.search_svc.domain.entries import Kind
from services.search_svc.domain.found import HITS_MAX, Filter, Found
from services.search_svc.index.index import Index
from services.search_svc.session import newest
from services.search_svc.terms import normal

SERVICE = "scenemesh.search.v1.SearchService"
SUGGESTIONS_DEFAULT = 10
PAGE_SIZE_DEFAULT = 20
PAGE_SIZE_MAX = 100

Context = grpc.aio.ServicerContext[Any, Any]


class Serving(Protocol):
    """Has the index that is in service."""

    @property
    def index(self) -> Index: ...


class Recent(Protocol):
    """Remembers what people ask."""

    def record(self, query: str, kinds: frozenset[Kind]) -> None: ...


class SearchServicer(search_pb2_grpc.SearchServiceServicer):
    """Every call takes the index once: no answer is of two."""

    def __init__(self, serving: Serving, cache: QueryCache, recent: Recent) -> None:
        self._serving = serving
        self._cache = cache
        self._recent = recent

    async def Suggest(self, request: search_pb2.SuggestRequest, context: Context) -> search_pb2.SuggestResponse:
        only = convert.filter_from_proto(request.filter, request.kinds)
        kept = self._suggested(request.query, only, request.page_size, request.explain)
        if not request.sequence:
            return kept
        answer = search_pb2.SuggestResponse(sequence=request.sequence)
        answer.MergeFrom(kept)
        return answer

    async def SuggestSession(
        self, requests: AsyncIterator[search_pb2.SuggestSessionRequest], context: Context
    ) -> AsyncIterator[search_pb2.SuggestSessionResponse]:
        async with aclosing(newest(requests)) as keystrokes:
            async for request, skipped in keystrokes:
                only = convert.filter_from_proto(request.filter)
                answer = self._suggested(request.query, only, request.page_size, explain=False)
                yield convert.session_answer_to_proto(answer, request.sequence, skipped)

    async def Search(self, request: search_pb2.SearchRequest, context: Context) -> search_pb2.SearchResponse:
        index, words = self._serving.index, normal(request.query)
        only = convert.filter_from_proto(request.filter)
        scope = convert.scope("Search", words, only)
        offset, limit = _page(scope, request.page_token, request.page_size)

        def search() -> search_pb2.SearchResponse:
            found = index.search(words, only, limit=limit, offset=offset) if words and limit else Found()
            return search_pb2.SearchResponse(
                hits=convert.suggestions_to_proto(found, words, explain=request.explain),
                next_page_token=_next(scope, offset, found),
                total_size=found.total,
                index_version=convert.index_version_to_proto(index.version),
            )

        if words and not offset:
            self._recent.record(words, only.kinds)
        key = ("Search", words, only, limit, offset, request.explain)
        return self._cache.answer(index.version, key, limit, search)

    async def ListPopular(
        self, request: search_pb2.ListPopularRequest, context: Context
    ) -> search_pb2.ListPopularResponse:
        index = self._serving.index
        only = convert.filter_from_proto(request.filter)
        scope = convert.scope("ListPopular", "", only)
        offset, limit = _page(scope, request.page_token, request.page_size)
        found = index.popular(only, limit=limit, offset=offset) if limit else Found()
        return search_pb2.ListPopularResponse(
            entries=convert.suggestions_to_proto(found),
            next_page_token=_next(scope, offset, found),
            index_version=convert.index_version_to_proto(index.version),
        )

    async def GetTitle(self, request: search_pb2.GetTitleRequest, context: Context) -> search_pb2.Title:
        return convert.title_to_proto(self._serving.index.title(convert.id_from_name(request.name)))

    async def GetCharacter(self, request: search_pb2.GetCharacterRequest, context: Context) -> search_pb2.Character:
        return convert.character_to_proto(*self._serving.index.character(convert.id_from_name(request.name)))

    def _suggested(self, query: str, only: Filter, page_size: int, explain: bool) -> search_pb2.SuggestResponse:
        """Belongs to the cache: nobody may change it."""
        index, words, limit = self._serving.index, normal(query), page_size or SUGGESTIONS_DEFAULT
        version = convert.index_version_to_proto(index.version)
        if not words:
            return search_pb2.SuggestResponse(index_version=version)

        def search() -> search_pb2.SuggestResponse:
            found = index.search(words, only, limit=limit)
            suggestions = convert.suggestions_to_proto(found, words, explain=explain)
            return search_pb2.SuggestResponse(suggestions=suggestions, index_version=version)

        self._recent.record(words, only.kinds)
        return self._cache.answer(index.version, ("Suggest", words, only, limit, explain), limit, search)


def _page(scope: str, page_token: str, page_size: int) -> tuple[int, int]:
    """Where a page begins, and how many hits it may have: none behind the last that may be asked for."""
    position = pages.position(scope, page_token, 1)
    if position is not None and not (position[0].isascii() and position[0].isdecimal() and len(position[0]) < 5):
        fault = Violation("page_token", "is not the next_page_token of this query")
        raise InvalidArgument(f"{fault.field}: {fault.description}", violations=[fault])
    offset = int(position[0]) if position is not None else 0
    return offset, max(0, min(page_size or PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX, HITS_MAX - offset))


def _next(scope: str, offset: int, found: Found) -> str:
    end = offset + len(found.hits)
    return pages.token(scope, [str(end)]) if found.hits and end < min(found.total, HITS_MAX) else ""
