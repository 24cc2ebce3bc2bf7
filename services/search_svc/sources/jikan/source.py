"""Anime from MyAnimeList, as Jikan tells it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt, ValidationError

from services.search_svc.domain.entries import Title
from services.search_svc.domain.sync import Mode
from services.search_svc.sources.asking import each
from services.search_svc.sources.jikan.shapes import Anime, Characters, Page
from services.search_svc.sources.jikan.titles import title
from services.search_svc.sources.shape import misshapen
from services.search_svc.sources.source import Batch, Cursor, Fault, SourceError
from services.search_svc.sources.web import Gone, Unanswered, Web

PAGE_TITLES = 25
# At a call a second, that is one batch in five seconds.
BATCH_TITLES = 5
# Jikan's list of popular anime has about 1,200 pages.
PAGES_MAX = 4000
# What has no characters of its own.
NO_STORY = frozenset({"Music", "CM", "PV"})


class Place(BaseModel):
    """How far a sync is: the page that is read, and how many of its anime are done."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    page: PositiveInt = 1
    position: NonNegativeInt = 0


@dataclass(frozen=True, slots=True)
class Found:
    """What became of an anime: a title, or nothing that can be used, and the reasons."""

    title: Title | None = None
    faults: tuple[Fault, ...] = ()


class JikanSource:
    """The anime that most people at MyAnimeList have on their lists, `titles_max` of them, with their characters.

    There is no feed of changes: asked for these, it brings everything.
    """

    name = "jikan"
    precedence = 30
    complete = False

    def __init__(self, web: Web) -> None:
        self._web = web

    async def batches(
        self, mode: Mode, cursor: Cursor, titles_max: int, since: datetime | None
    ) -> AsyncGenerator[Batch, None]:
        step = "popular anime" if mode is Mode.FULL else "everything, as Jikan does not tell changes: popular anime"
        place = _place(cursor)
        while (before := (place.page - 1) * PAGE_TITLES) < titles_max and place.page <= PAGES_MAX:
            page = await self._page(place.page)
            listed = page.data[: titles_max - before]
            for position in range(place.position, len(listed), BATCH_TITLES):
                found = await self._found(listed[position : position + BATCH_TITLES])
                done = min(position + BATCH_TITLES, len(listed))
                yield Batch(
                    cursor=place.model_copy(update={"position": done}).model_dump(),
                    step=step,
                    done=before + done,
                    total=max(before + done, min(titles_max, page.pagination.items.total)),
                    titles=tuple(one.title for one in found if one.title is not None),
                    faults=tuple(fault for one in found for fault in one.faults),
                )
            if not page.pagination.has_next_page:
                return
            place = Place(page=place.page + 1)

    async def _page(self, number: int) -> Page:
        answer = await self._web.json("top/anime", {"filter": "bypopularity", "page": number})
        if isinstance(answer, Gone):
            raise SourceError("Jikan has no top/anime: look whether SCENEMESH_JIKAN_URL is that of its API, version 4.")
        try:
            return Page.model_validate(answer)
        except ValidationError as error:
            why = misshapen(error)
            raise SourceError(
                f"Jikan's answer to top/anime {why}: a newer version of SceneMesh may know it."
            ) from error

    async def _found(self, listed: Sequence[Any]) -> list[Found]:
        answers = await each(listed, self._title)
        return [
            Found(faults=(Fault(answer.path, str(answer)),)) if isinstance(answer, Unanswered) else answer
            for answer in answers
        ]

    async def _title(self, listed: Any) -> Found:
        """The title of an entry in the list, which says all but its characters."""
        try:
            anime = Anime.model_validate(listed)
        except ValidationError as error:
            return Found(faults=(Fault("top/anime", f"an entry {misshapen(error)}"),))
        if anime.type in NO_STORY:
            return Found()
        path = f"anime/{anime.mal_id}/characters"
        answer = await self._web.json(path)
        try:
            cast = Characters(data=[]) if isinstance(answer, Gone) else Characters.model_validate(answer)
        except ValidationError as error:
            return Found(faults=(Fault(path, misshapen(error)),))
        made, wrong = title(anime, cast.data)
        return Found(made, tuple(Fault(path, one) for one in wrong))


def _place(cursor: Cursor) -> Place:
    try:
        return Place.model_validate(dict(cursor))
    except ValidationError as error:
        raise SourceError("Where this sync was cannot be read by this version: start another one.") from error
