"""A TMDB that does as it is told: films, series, lists of popular ones, changes and daily exports, in the real shapes.

async with fake_tmdb([film(603, "The Matrix", cast=[("Keanu Reeves", "Thomas Anderson / Neo")])]) as tmdb:
    tmdb.url, tmdb.exports.url
    tmdb.trouble("movie/603", Trouble(status=500))
"""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

from aiohttp import web

from tests.service.search_svc.sources.fake_web import Asked, FakeWeb, not_found, paged, served

POPULAR_PAGE, CHANGES_PAGE = 20, 100
KEY = "0123456789abcdef0123456789abcdef"
Json = dict[str, Any]
Cast = Sequence[tuple[str, str]]


def film(number: int, name: str, popularity: float = 20.0, cast: Cast = (), **fields: Any) -> Json:
    """A film's details with all that can be appended. `cast` are actors and their roles in billing order."""
    return {
        "adult": False,
        "belongs_to_collection": None,
        "genres": [{"id": 28, "name": "Action"}],
        "id": number,
        "imdb_id": f"tt{number:07}",
        "original_language": "en",
        "original_title": name,
        "overview": f"What happens in {name}.",
        "popularity": popularity,
        "poster_path": None,
        "release_date": "1999-03-30",
        "status": "Released",
        "title": name,
        "video": False,
        "credits": {"cast": [_member(number, place, one) for place, one in enumerate(cast)], "crew": []},
        "alternative_titles": {"titles": []},
        **fields,
    }


def series(number: int, name: str, popularity: float = 20.0, cast: Cast = (), **fields: Any) -> Json:
    """A series' details with all that can be appended."""
    members = [_member(number, place, one) for place, one in enumerate(cast)]
    return {
        "adult": False,
        "first_air_date": "2011-04-17",
        "genres": [{"id": 18, "name": "Drama"}],
        "id": number,
        "name": name,
        "number_of_seasons": 8,
        "origin_country": ["US"],
        "original_language": "en",
        "original_name": name,
        "overview": f"What happens in {name}.",
        "popularity": popularity,
        "aggregate_credits": {"cast": [_with_roles(member) for member in members], "crew": []},
        "alternative_titles": {"results": []},
        **fields,
    }


class FakeTmdb(FakeWeb):
    """`films` and `series` are what there is; `changed` says of `movie` and `tv` which ids have changed."""

    def __init__(self, films: Iterable[Json], shows: Iterable[Json]) -> None:
        super().__init__()
        self.titles = {
            "movie": {one["id"]: one for one in films},
            "tv": {one["id"]: one for one in shows},
        }
        self.changed: dict[str, list[int]] = {"movie": [], "tv": []}
        self.exports = FakeExports(self)

    def popular(self, medium: str) -> list[Json]:
        return sorted(self.titles[medium].values(), key=lambda one: (-float(one["popularity"]), one["id"]))

    def answer(self, asked: Asked) -> web.Response:
        if KEY not in (asked.query.get("api_key"), asked.headers.get("authorization", "").rpartition(".")[2]):
            told = {"status_code": 7, "status_message": "Invalid API key: You must be granted a valid key."}
            return web.json_response({**told, "success": False}, status=401)
        medium, _, rest = asked.path.partition("/")
        if medium not in self.titles:
            return not_found()
        if rest == "popular":
            return self._page([_row(one) for one in self.popular(medium)], asked, POPULAR_PAGE)
        if rest == "changes":
            rows = [{"id": one, "adult": False if one in self.titles[medium] else None} for one in self.changed[medium]]
            return self._page(rows, asked, CHANGES_PAGE)
        found = self.titles[medium].get(int(rest)) if rest.isdecimal() else None
        return web.json_response(found) if found is not None else not_found()

    def _page(self, rows: list[Json], asked: Asked, size: int) -> web.Response:
        page, results, pages = paged(rows, asked, size)
        return web.json_response(
            {"page": page, "results": results, "total_pages": pages, "total_results": len(rows)},
        )


class FakeExports(FakeWeb):
    """The daily exports, of every day that is in `days` (all when None)."""

    def __init__(self, tmdb: FakeTmdb) -> None:
        super().__init__()
        self.days: set[date] | None = None
        self._tmdb = tmdb

    def answer(self, asked: Asked) -> web.Response:
        name, _, day = asked.path.removesuffix(".json.gz").rpartition("_ids_")
        month, date_, year = (int(part) for part in day.split("_"))
        if self.days is not None and date(year, month, date_) not in self.days:
            # As S3 answers for what it does not have.
            return web.Response(status=403, text="<Error><Code>AccessDenied</Code></Error>")
        titles = self._tmdb.titles["movie" if name == "movie" else "tv"]
        lines = [json.dumps(_line(one)) + "\n" for one in sorted(titles.values(), key=lambda one: one["id"])]
        return web.Response(body=gzip.compress("".join(lines).encode(), mtime=0), content_type="application/gzip")


@asynccontextmanager
async def fake_tmdb(films: Iterable[Json] = (), shows: Iterable[Json] = ()) -> AsyncIterator[FakeTmdb]:
    """A fake TMDB that serves while the block runs."""
    fake = FakeTmdb(films, shows)
    async with served(("3", fake), ("p/exports", fake.exports)):
        yield fake


def _member(number: int, place: int, one: tuple[str, str]) -> Json:
    actor, character = one
    return {
        "adult": False,
        "gender": 0,
        "id": number * 100 + place,
        "known_for_department": "Acting",
        "name": actor,
        "original_name": actor,
        "popularity": 1.5,
        "profile_path": None,
        "cast_id": place,
        "character": character,
        "credit_id": f"{number:020x}{place:04x}",
        "order": place,
    }


def _with_roles(member: Json) -> Json:
    role = {"credit_id": member["credit_id"], "character": member["character"], "episode_count": 10}
    kept = {key: value for key, value in member.items() if key not in ("cast_id", "credit_id", "character")}
    return {**kept, "roles": [role], "total_episode_count": 10}


def _row(one: Json) -> Json:
    appended = ("credits", "aggregate_credits", "alternative_titles", "genres")
    kept = {key: value for key, value in one.items() if key not in appended}
    return {**kept, "genre_ids": [genre["id"] for genre in one["genres"]]}


def _line(one: Json) -> Json:
    name = {"original_title": one["original_title"]} if "title" in one else {"original_name": one["original_name"]}
    return {"adult": one["adult"], "id": one["id"], **name, "popularity": one["popularity"], "video": False}
