"""TMDB's own calls, each answer in its shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from services.search_svc.domain.entries import Title
from services.search_svc.sources.shape import misshapen
from services.search_svc.sources.source import Fault, Json, SourceError
from services.search_svc.sources.tmdb.medium import Medium
from services.search_svc.sources.tmdb.shapes import Details, Page
from services.search_svc.sources.tmdb.titles import title
from services.search_svc.sources.web import GONE, Gone, Web


@dataclass(frozen=True, slots=True)
class Found:
    """What became of an id: a title, or nothing that can be used, and the reasons."""

    title: Title | None
    faults: tuple[Fault, ...] = ()


class Tmdb:
    def __init__(self, web: Web) -> None:
        self._web = web

    async def page(self, path: str, page: int, parameters: Mapping[str, str] | None = None) -> Page:
        """A page of a list. Without it nothing goes on: SourceError also when its shape is another."""
        answer = await self._web.json(path, {**(parameters or {}), "page": page})
        if isinstance(answer, Gone):
            raise SourceError(f"TMDB has no {path}: look whether SCENEMESH_TMDB_URL is that of its API, version 3.")
        try:
            return Page.model_validate(answer)
        except ValidationError as error:
            why = misshapen(error)
            raise SourceError(f"TMDB's answer to {path} {why}: a newer version of SceneMesh may know it.") from error

    async def title(self, medium: Medium, number: int) -> Found | Gone:
        """A title with its characters, in one call."""
        path = f"{medium}/{number}"
        parameters = {"append_to_response": f"{medium.credits},alternative_titles"}
        answer = await self._web.json(path, parameters)
        return GONE if isinstance(answer, Gone) else _found(medium, number, path, answer)


def _found(medium: Medium, number: int, path: str, answer: Json) -> Found:
    try:
        made, wrong = title(medium, number, Details.model_validate(answer))
    except ValidationError as error:
        return Found(None, (Fault(path, misshapen(error)),))
    return Found(made, tuple(Fault(path, one) for one in wrong))
