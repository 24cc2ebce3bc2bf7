"""The RPCs of SearchService."""

from __future__ import annotations

from typing import Any

import grpc

from scenemesh.search.v1 import search_pb2, search_pb2_grpc
from services.search_svc import convert
from services.search_svc.domain import Catalogue
from services.search_svc.index import Index

SERVICE = "scenemesh.search.v1.SearchService"
PAGE_SIZE_DEFAULT = 10


class SearchServicer(search_pb2_grpc.SearchServiceServicer):
    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._index = Index(catalogue)

    async def Suggest(
        self, request: search_pb2.SuggestRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> search_pb2.SuggestResponse:
        kinds = convert.kinds_from_proto(request.kinds)
        found = self._index.suggest(request.query, kinds, request.page_size or PAGE_SIZE_DEFAULT)
        return convert.suggestions_to_proto(found)

    async def GetTitle(
        self, request: search_pb2.GetTitleRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> search_pb2.Title:
        return convert.title_to_proto(self._catalogue.title(convert.id_from_name(request.name)))

    async def GetCharacter(
        self, request: search_pb2.GetCharacterRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> search_pb2.Character:
        return convert.character_to_proto(*self._catalogue.character(convert.id_from_name(request.name)))
