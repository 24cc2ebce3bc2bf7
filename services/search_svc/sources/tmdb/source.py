"""Films and series from The Movie Database, TMDB."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain

from services.search_svc.domain.entries import Title
from services.search_svc.domain.sync import Mode
from services.search_svc.sources import popularity
from services.search_svc.sources.asking import each
from services.search_svc.sources.source import Batch, Cursor, Fault
from services.search_svc.sources.tmdb.client import Found, Tmdb
from services.search_svc.sources.tmdb.exports import Exports
from services.search_svc.sources.tmdb.medium import Medium
from services.search_svc.sources.tmdb.place import Place
from services.search_svc.sources.tmdb.shapes import Page
from services.search_svc.sources.web import Gone, Unanswered, Web

PAGE_TITLES = 20
PAGE_CHANGES = 100
# TMDB shows no more pages of any list.
PAGES_MAX = 500
BATCH_TITLES = 40
BATCH_POPULARITIES = 5000
NO_EXPORT = "TMDB has no daily export of the last days that is whole"

Batches = AsyncGenerator[Batch, None]


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of some ids."""

    titles: tuple[Title, ...]
    removed: tuple[str, ...]
    popularity: Mapping[str, float]
    faults: tuple[Fault, ...]


class TmdbSource:
    """Everything is the most popular films and series, `titles_max` of each, with their characters.

    They come from the lists of popular titles, or, when more are wanted than these show, from the daily exports of all
    ids. Changes are the titles that TMDB says have changed since: those at least as popular as the last that everything
    would bring are brought, of the others only their popularity, and what is gone is removed. Both end with the
    popularity of all titles, which the daily exports tell.

    `web` is TMDB's API, `exports` where its daily exports are; `pages_max` is how far its lists are read.
    """

    name = "tmdb"
    precedence = 20
    complete = False

    def __init__(self, web: Web, exports: Web, clock: Callable[[], datetime], pages_max: int = PAGES_MAX) -> None:
        self._tmdb = Tmdb(web)
        self._exports = Exports(exports, clock)
        self._clock = clock
        self._pages_max = pages_max

    async def batches(self, mode: Mode, cursor: Cursor, titles_max: int, since: datetime | None) -> Batches:
        place = Place.of(cursor, mode, since, self._clock().date())
        stages = self._stages(place, titles_max)
        while place.stage < len(stages):
            async with aclosing(stages[place.stage](place)) as batches:
                async for batch in batches:
                    yield batch
            place = place.next_stage()

    def _stages(self, place: Place, titles_max: int) -> Sequence[Callable[[Place], Batches]]:
        media = (Medium.MOVIE, Medium.TV)
        if place.plan == "changes":
            titles = [partial(self._changed, medium, titles_max) for medium in media]
        elif titles_max > self._pages_max * PAGE_TITLES:
            titles = [partial(self._exported, medium, titles_max) for medium in media]
        else:
            titles = [partial(self._popular, medium, titles_max) for medium in media]
        return [*titles, *(partial(self._well_known, medium) for medium in media)]

    async def _popular(self, medium: Medium, titles_max: int, place: Place) -> Batches:
        """The titles in the list of popular ones."""
        limit = min(titles_max, self._pages_max * PAGE_TITLES)
        while (before := (place.page - 1) * PAGE_TITLES) < limit:
            listed = await self._tmdb.page(f"{medium}/popular", place.page)
            numbers = _numbers(listed)[: limit - before]
            last = place.page >= listed.total_pages
            place = place.at(page=place.page + 1)
            if numbers:
                total = min(limit, listed.total_results)
                brought = await self._brought(medium, numbers)
                yield _batch(place, place.step(f"popular {medium.noun}"), before + len(numbers), total, brought)
            if last:
                return

    async def _exported(self, medium: Medium, titles_max: int, place: Place) -> Batches:
        """The most popular titles of an export; those in the list of popular ones when there is no export."""
        export = await self._exports.latest(medium, place.day)
        if export is None:
            why = f"{NO_EXPORT}; titles beyond the list of popular ones are left out"
            faults: tuple[Fault, ...] = (Fault(f"exports/{medium}", why),)
            async with aclosing(self._popular(medium, titles_max, place)) as batches:
                async for batch in batches:
                    yield replace(batch, faults=(*faults, *batch.faults))
                    faults = ()
            return
        best = await export.most_popular(titles_max)
        # Another day's order is another one.
        first = place.position if place.day == export.day else 0
        for position in range(first, len(best), BATCH_TITLES):
            numbers = [one.id for one in best[position : position + BATCH_TITLES]]
            done = position + len(numbers)
            brought = await self._brought(medium, numbers)
            step = place.step(f"{medium.noun} of the export of {export.day}")
            yield _batch(place.at(day=export.day, position=done), step, done, len(best), brought)

    async def _changed(self, medium: Medium, titles_max: int, place: Place) -> Batches:
        """The titles that have changed."""
        bar = await self._bar(medium, titles_max) if place.bar is None else place.bar
        place = place.at(bar=bar)
        days = {"start_date": str(place.start), "end_date": str(place.end)}
        while place.page <= self._pages_max:
            listed = await self._tmdb.page(f"{medium}/changes", place.page, days)
            numbers = _numbers(listed)
            before = (place.page - 1) * PAGE_CHANGES
            for position in range(place.position, len(numbers), BATCH_TITLES):
                some = numbers[position : position + BATCH_TITLES]
                place = place.at(position=position + len(some))
                brought = await self._brought(medium, some, popularity.of_tmdb(bar))
                yield _batch(place, f"changed {medium.noun}", before + place.position, listed.total_results, brought)
            if place.page >= listed.total_pages:
                return
            place = place.at(page=place.page + 1, position=0)

    async def _well_known(self, medium: Medium, place: Place) -> Batches:
        """The popularity of all titles."""
        step = f"popularity of {medium.noun}"
        export = await self._exports.latest(medium, place.day)
        if export is None:
            why = f"{NO_EXPORT}; the popularity of titles stays as it was"
            yield Batch(place.next_stage().cursor(), step, 0, 0, faults=(Fault(f"exports/{medium}", why),))
            return
        done = place.position if place.day == export.day else 0
        async for entries in export.pieces(BATCH_POPULARITIES, done):
            done += len(entries)
            told = {medium.title_id(one.id): popularity.of_tmdb(one.popularity) for one in entries if one is not None}
            at = place.at(day=export.day, position=done)
            yield Batch(at.cursor(), step, done, export.lines, popularity=told)

    async def _bar(self, medium: Medium, titles_max: int) -> float:
        """The popularity, as TMDB counts it, of the last title that everything would bring; 0 if there are fewer."""
        if titles_max > self._pages_max * PAGE_TITLES:
            export = await self._exports.latest(medium)
            if export is not None:
                best = await export.most_popular(titles_max)
                return best[-1].popularity if len(best) == titles_max else 0.0
        last = min(titles_max, self._pages_max * PAGE_TITLES) - 1
        listed = (await self._tmdb.page(f"{medium}/popular", last // PAGE_TITLES + 1)).results
        return listed[last % PAGE_TITLES].popularity if last % PAGE_TITLES < len(listed) else 0.0

    async def _brought(self, medium: Medium, numbers: Sequence[int], bar: float = 0.0) -> Brought:
        """The titles with these ids, only the popularity of those below `bar`, which is one of 1 to 100."""
        answers = await each(numbers, partial(self._tmdb.title, medium))
        found = [one for one in answers if isinstance(one, Found)]
        titles = [one.title for one in found if one.title is not None]
        unanswered = [Fault(one.path, str(one)) for one in answers if isinstance(one, Unanswered)]
        return Brought(
            titles=tuple(title for title in titles if title.popularity >= bar),
            removed=tuple(
                medium.title_id(number)
                for number, answer in zip(numbers, answers, strict=True)
                if isinstance(answer, Gone)
            ),
            popularity={title.id: title.popularity for title in titles if title.popularity < bar},
            faults=(*chain.from_iterable(one.faults for one in found), *unanswered),
        )


def _numbers(listed: Page) -> list[int]:
    return list(dict.fromkeys(one.id for one in listed.results))


def _batch(place: Place, step: str, done: int, total: int, brought: Brought) -> Batch:
    return Batch(
        cursor=place.cursor(),
        step=step,
        done=done,
        # A list may grow while it is read.
        total=max(done, total),
        titles=brought.titles,
        removed=brought.removed,
        popularity=brought.popularity,
        faults=brought.faults,
    )
