from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from pathlib import Path

from services.search_svc.domain.comparing import Asked, Difference
from services.search_svc.domain.entries import Kind, Title
from services.search_svc.domain.version import Order
from services.search_svc.index.build import build
from services.search_svc.index.index import Index
from services.search_svc.versions.comparing import REPLAYS, compare, compared
from services.search_svc.versions.files import Files
from tests.service.search_svc.versions.workshop import TITLES

STARS = tuple(Title(f"star-{n}", f"Star {n:02}", Kind.FILM, 2000, (), 50.0 - n) for n in range(20))
# Better known than all of those.
COMETS = tuple(Title(f"comet-{n}", f"Star Comet {n}", Kind.SERIES, 2020, (), 99.0) for n in range(1500))
TYPED = [Asked("star"[:length]) for length in range(1, 5)]


def index(directory: Path, number: int, titles: Iterable[Title]) -> Index:
    path = directory / f"{number}.index"
    build(titles, path, number)
    return Index.open(path)


def turned_round(titles: Iterable[Title]) -> list[Title]:
    """The least known are the best known now."""
    return [replace(title, popularity=100.0 - title.popularity) for title in titles]


def test_an_index_agrees_with_itself(directory: Path) -> None:
    one = index(directory, 1, [*TITLES, *STARS])
    comparison = compare(one, one, [*TYPED, Asked("zzzz"), Asked("matrix", frozenset({Kind.FILM}))])
    assert (comparison.queries, comparison.agreement, comparison.emptied) == (6, 1.0, 0.0)
    assert (comparison.lost_entries, comparison.differences, comparison.refusal) == (0.0, (), "")


def test_a_larger_catalogue_is_no_difference(directory: Path) -> None:
    old, new = index(directory, 1, STARS), index(directory, 2, [*STARS, *COMETS])
    comparison = compare(old, new, [*TYPED, Asked("stra"), Asked("comit")])
    assert (comparison.agreement, comparison.lost_entries, comparison.refusal) == (1.0, 0.0, "")


def test_another_order_is_a_difference(directory: Path) -> None:
    old, new = index(directory, 1, STARS), index(directory, 2, turned_round(STARS))
    comparison = compare(old, new, TYPED)
    assert comparison.agreement == 0.0
    assert comparison.refusal.startswith("Compared with index version 1: first answers agree to 0.00")
    first = Difference(
        "s", tuple(f"titles/star-{n}" for n in range(10)), tuple(f"titles/star-{n}" for n in reversed(range(10, 20)))
    )
    assert comparison.differences[0] == first


def test_another_order_is_a_difference_in_a_larger_catalogue_too(directory: Path) -> None:
    old, new = index(directory, 1, STARS), index(directory, 2, [*turned_round(STARS), *COMETS[:50]])
    assert compare(old, new, TYPED).agreement == 0.0


def test_queries_that_lost_their_answers_are_counted(directory: Path) -> None:
    old, new = index(directory, 1, [*TITLES, *STARS]), index(directory, 2, STARS)
    comparison = compare(old, new, [Asked("star"), Asked("akira")])
    assert (comparison.agreement, comparison.emptied, comparison.lost_entries) == (1.0, 0.5, 4 / 24)
    assert [one.query for one in comparison.differences] == ["akira"]


def test_only_the_kinds_that_were_wanted_are_asked_for(directory: Path) -> None:
    old, new = index(directory, 1, [*STARS, *COMETS[:1]]), index(directory, 2, [*STARS, *COMETS[1:2]])
    series = Asked("star", frozenset({Kind.SERIES}))
    assert [one.candidate for one in compare(old, new, [series]).differences] == []
    assert compare(old, index(directory, 3, STARS), [series]).emptied == 1.0


def test_a_disturbed_replay_does_not_count(directory: Path) -> None:
    one = index(directory, 1, STARS)
    ticks = count(step=1000)
    calls = count()

    def clock_ns() -> int:
        """A microsecond between two looks, and once, in the midst of a query, a second."""
        now = next(ticks)
        return now + 10**9 if next(calls) >= 2 * (2 * REPLAYS - 1) - 1 else now

    comparison = compare(one, one, TYPED[:1], clock_ns)
    assert (comparison.baseline_p99_us, comparison.p99_us) == (1, 1)


def test_a_baseline_that_is_not_what_was_built_is_none(directory: Path) -> None:
    new, files = index(directory, 2, STARS), Files(directory)
    old = index(directory, 1, STARS)
    assert compared(files, Order(2), new, TYPED) is None
    assert compared(files, Order(2, 1, "another"), new, TYPED) is None
    assert compared(files, Order(2, 7, old.checksum), new, TYPED) is None
    found = compared(files, Order(2, 1, old.checksum), new, TYPED)
    assert found is not None
    assert (found.baseline, found.agreement) == (1, 1.0)
