"""A Jikan that does as it is told: the list of popular anime and their characters, in the real shapes.

async with fake_jikan([anime(5114, "Hagane no Renkinjutsushi", english="Fullmetal Alchemist: Brotherhood")]) as jikan:
    jikan.url
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.service.search_svc.sources.fake_web import Asked, FakeWeb, not_found, paged, served

PAGE_SIZE = 25
Json = dict[str, Any]


def anime(number: int, name: str, members: int = 100_000, *, english: str | None = None, **fields: Any) -> Json:
    """An anime as lists have it; `characters` are what Jikan tells about it elsewhere."""
    names = [{"type": "Default", "title": name}]
    names += [{"type": "English", "title": english}] if english else []
    return {
        "mal_id": number,
        "url": f"https://myanimelist.net/anime/{number}",
        "approved": True,
        "titles": names,
        "title": name,
        "title_english": english,
        "title_japanese": None,
        "title_synonyms": [],
        "type": "TV",
        "episodes": 64,
        "aired": {
            "from": "2009-04-05T00:00:00+00:00",
            "to": None,
            "prop": {"from": {"day": 5, "month": 4, "year": 2009}, "to": {"day": None, "month": None, "year": None}},
            "string": "Apr 5, 2009 to ?",
        },
        "rating": "R - 17+ (violence & profanity)",
        "score": 9.1,
        "members": members,
        "favorites": 10,
        "synopsis": f"What happens in {name}.",
        "season": "spring",
        "year": 2009,
        "genres": [{"mal_id": 1, "type": "anime", "name": "Action", "url": "https://myanimelist.net/anime/genre/1"}],
        "explicit_genres": [],
        **fields,
    }


def appearance(
    number: int, name: str, role: str = "Main", favorites: int = 0, voices: Sequence[tuple[int, str, str]] = ()
) -> Json:
    """A character in an anime; `voices` are an id, a name and a language each."""
    return {
        "character": {"mal_id": number, "url": "https://myanimelist.net/character", "images": {}, "name": name},
        "role": role,
        "favorites": favorites,
        "voice_actors": [
            {"person": {"mal_id": one, "url": "https://myanimelist.net/people", "name": told}, "language": language}
            for one, told, language in voices
        ],
    }


class FakeJikan(FakeWeb):
    """`characters` are those of an anime, by its id."""

    def __init__(self, listed: Iterable[Json]) -> None:
        super().__init__()
        self.listed = list(listed)
        self.characters: dict[int, list[Json]] = {}

    def answer(self, asked: Asked) -> web.Response:
        if asked.path == "top/anime":
            rows = sorted(self.listed, key=lambda one: -int(one["members"]))
            page, data, pages = paged(rows, asked, PAGE_SIZE)
            pagination = {
                "last_visible_page": pages,
                "has_next_page": page < pages,
                "current_page": page,
                "items": {"count": len(data), "total": len(rows), "per_page": PAGE_SIZE},
            }
            return web.json_response({"pagination": pagination, "data": data})
        parts = asked.path.split("/")
        if len(parts) == 3 and parts[0] == "anime" and parts[2] == "characters":
            return web.json_response({"data": self.characters.get(int(parts[1]), [])})
        return not_found()


@asynccontextmanager
async def fake_jikan(listed: Iterable[Json] = ()) -> AsyncIterator[FakeJikan]:
    """A fake Jikan that serves while the block runs."""
    fake = FakeJikan(listed)
    async with served(("v4", fake)):
        yield fake
