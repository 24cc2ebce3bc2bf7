from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from runtime import pages
from runtime.status import error_info
from scenemesh.search.v1 import search_pb2
from scenemesh.search.v1.search_pb2_grpc import SearchServiceStub
from services.search_svc.convert import search as convert
from services.search_svc.domain.entries import Kind
from services.search_svc.domain.found import Filter
from services.search_svc.index.index import Index
from tests.harness.serving import Dial
from tests.service.search_svc.answering import DUCK_SOUP, INDEX_VERSION, InService, built

if TYPE_CHECKING:
    from scenemesh.search.v1.search_pb2_grpc import SearchServiceAsyncStub

SHERLOCK = "characters/sherlock-holmes"


async def suggested(stub: SearchServiceAsyncStub, **request: Any) -> list[search_pb2.Suggestion]:
    answer = await stub.Suggest(search_pb2.SuggestRequest(**request))
    return list(answer.suggestions)


def names(entries: Iterable[search_pb2.Suggestion]) -> list[str]:
    return [one.name for one in entries]


def broken_fields(error: grpc.aio.AioRpcError) -> list[str]:
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    told = error_details_pb2.BadRequest()
    assert any(detail.Unpack(told) for detail in rpc_status.from_call(error).details)
    return sorted({violation.field.partition("[")[0] for violation in told.field_violations})


async def test_a_character_is_suggested_with_the_title_it_comes_from(stub: SearchServiceAsyncStub) -> None:
    answer = await stub.Suggest(search_pb2.SuggestRequest(query="sherlock ho", page_size=1))
    (first,) = answer.suggestions
    assert answer == search_pb2.SuggestResponse(
        suggestions=[
            search_pb2.Suggestion(
                name=SHERLOCK,
                display_name="Sherlock Holmes",
                kind=search_pb2.KIND_CHARACTER,
                title_display_name="Sherlock",
                year=2010,
                popularity=first.popularity,
                segments=[search_pb2.Segment(text="Sherlock Ho", matched=True), search_pb2.Segment(text="lmes")],
            )
        ],
        index_version=INDEX_VERSION,
    )


async def test_an_alias_that_matched_is_told(stub: SearchServiceAsyncStub) -> None:
    (first, *_) = await suggested(stub, query="shingeki", kinds=[search_pb2.KIND_ANIME])
    assert (first.display_name, first.matched_alias) == ("Attack on Titan", "Shingeki no Kyojin")
    assert list(first.segments) == [
        search_pb2.Segment(text="Shingeki", matched=True),
        search_pb2.Segment(text=" no Kyojin"),
    ]


async def test_who_played_a_character_finds_it(stub: SearchServiceAsyncStub) -> None:
    found = await suggested(stub, query="groucho m")
    assert [(one.name, one.kind, one.matched_actor) for one in found] == [
        ("actors/groucho", search_pb2.KIND_ACTOR, ""),
        ("characters/rufus-firefly", search_pb2.KIND_CHARACTER, "Groucho Marx"),
    ]


async def test_pages_are_ten_long_unless_the_caller_says_otherwise(stub: SearchServiceAsyncStub) -> None:
    assert [len(await suggested(stub, query="s", page_size=size)) for size in (0, 3, 50)] == [10, 3, 50]


async def test_the_kinds_of_the_request_and_of_its_filter_are_all_wanted(stub: SearchServiceAsyncStub) -> None:
    films, cartoons = search_pb2.KIND_FILM, search_pb2.KIND_CARTOON
    both = search_pb2.EntryFilter(kinds=[films])
    found = [
        await suggested(stub, query="groucho", kinds=[cartoons]),
        await suggested(stub, query="groucho", filter=search_pb2.EntryFilter(kinds=[cartoons])),
        await suggested(stub, query="groucho", kinds=[cartoons], filter=both),
    ]
    assert [names(one) for one in found] == [["titles/groucho-cartoon"]] * 3
    everything = {one.kind for one in await suggested(stub, query="s", page_size=50, kinds=[films], filter=both)}
    assert everything == {films}


async def test_years_and_adults_are_filtered(stub: SearchServiceAsyncStub) -> None:
    async def found(**only: Any) -> list[str]:
        return names(await suggested(stub, query="quagga after", filter=search_pb2.EntryFilter(**only)))

    midnight = "titles/after-midnight"
    assert midnight not in await found()
    assert midnight in await found(include_adult=True)
    assert midnight in await found(include_adult=True, year_min=1978, year_max=1978)
    assert midnight not in await found(include_adult=True, year_min=1979)
    assert midnight not in await found(include_adult=True, year_max=1977)


async def test_why_a_hit_ranks_where_it_does_is_told_to_those_who_ask(stub: SearchServiceAsyncStub) -> None:
    (plain,) = await suggested(stub, query="dark knight", page_size=1)
    (explained,) = await suggested(stub, query="dark knight", page_size=1, explain=True)
    score = explained.score
    assert not plain.HasField("score")
    assert (score.match, score.typos) == (search_pb2.MATCH_EXACT_NAME, 0)
    points = score.match_points + score.typo_points + score.popularity_points + score.missing_points
    assert score.total == pytest.approx(points)
    explained.ClearField("score")
    assert explained == plain


@pytest.mark.parametrize("query", ["?!…", " ", "🦄🦄", "\x01\x1b[2J", "\u202e", "zzzzqqqxxjj"])
async def test_nothing_found_is_an_empty_answer(stub: SearchServiceAsyncStub, query: str) -> None:
    suggested = await stub.Suggest(search_pb2.SuggestRequest(query=query, sequence=3))
    assert suggested == search_pb2.SuggestResponse(index_version=INDEX_VERSION, sequence=3)
    searched = await stub.Search(search_pb2.SearchRequest(query=query))
    assert searched == search_pb2.SearchResponse(index_version=INDEX_VERSION)


async def test_every_answer_has_its_callers_number(stub: SearchServiceAsyncStub) -> None:
    answers = [
        await stub.Suggest(search_pb2.SuggestRequest(query="matrix", sequence=sequence))
        for sequence in (5, 0, 2**63 - 1)
    ]
    assert [answer.sequence for answer in answers] == [5, 0, 2**63 - 1]
    for answer in answers:
        answer.sequence = 0
    assert answers[0] == answers[1] == answers[2]


async def test_the_same_query_in_another_spelling_is_answered_from_the_cache(
    stub: SearchServiceAsyncStub, serving: InService
) -> None:
    for query in ("Dark Kn", "dark  kn", "DÁRK-KN"):
        await suggested(stub, query=query)
    assert await suggested(stub, query="dark kn", explain=True) != await suggested(stub, query="dark kn")
    told = serving.cache.statistics()
    assert (told.queries, told.hits, told.entries) == (5, 3, 2)


async def test_what_was_asked_is_recorded_once_a_search(stub: SearchServiceAsyncStub, serving: InService) -> None:
    films = search_pb2.EntryFilter(kinds=[search_pb2.KIND_FILM])
    await suggested(stub, query="Dark")
    await suggested(stub, query="dark")
    await suggested(stub, query="?!")
    first = await stub.Search(search_pb2.SearchRequest(query="the", filter=films, page_size=1))
    await stub.Search(
        search_pb2.SearchRequest(query="the", filter=films, page_size=1, page_token=first.next_page_token)
    )
    assert serving.asked == [("dark", frozenset()), ("dark", frozenset()), ("the", frozenset({Kind.FILM}))]


async def test_with_another_index_in_service_every_answer_comes_from_it(
    stub: SearchServiceAsyncStub, serving: InService, tmp_path: Path
) -> None:
    assert len(await suggested(stub, query="quagga")) == 10
    serving.swap(built([DUCK_SOUP], tmp_path, 8))
    version = "indexVersions/8"
    suggestions = await stub.Suggest(search_pb2.SuggestRequest(query="quagga"))
    assert suggestions == search_pb2.SuggestResponse(index_version=version)
    popular = await stub.ListPopular(search_pb2.ListPopularRequest())
    assert (names(popular.entries), popular.index_version) == (
        ["titles/duck-soup", "characters/rufus-firefly", "actors/groucho"],
        version,
    )


async def pages_of(stub: SearchServiceAsyncStub, **request: Any) -> list[search_pb2.SearchResponse]:
    answers: list[search_pb2.SearchResponse] = []
    while not answers or answers[-1].next_page_token:
        token = answers[-1].next_page_token if answers else ""
        answers.append(await stub.Search(search_pb2.SearchRequest(page_token=token, **request)))
    return answers


async def test_pages_put_together_are_what_the_index_finds(stub: SearchServiceAsyncStub, index: Index) -> None:
    found = index.search("dark", limit=1000)
    answers = await pages_of(stub, query="dark", page_size=3)
    hits = [hit for answer in answers for hit in answer.hits]
    assert hits == convert.suggestions_to_proto(found, "dark")
    assert {answer.total_size for answer in answers} == {found.total}
    assert [len(answer.hits) for answer in answers[:-1]] == [3] * (len(answers) - 1)


@pytest.mark.parametrize(("asked", "given"), [(0, 20), (7, 7), (100, 100), (101, 100), (2**31 - 1, 100)])
async def test_a_page_has_twenty_hits_and_never_more_than_a_hundred(
    stub: SearchServiceAsyncStub, asked: int, given: int
) -> None:
    found = await stub.Search(search_pb2.SearchRequest(query="quagga", page_size=asked))
    popular = await stub.ListPopular(search_pb2.ListPopularRequest(page_size=asked))
    assert (len(found.hits), len(popular.entries)) == (given, given)


async def test_a_search_ends_after_a_thousand_hits(stub: SearchServiceAsyncStub) -> None:
    answers = await pages_of(stub, query="quagga", page_size=99)
    found = [name for answer in answers for name in names(answer.hits)]
    assert (len(found), len(set(found))) == (1000, 1000)
    assert {answer.total_size for answer in answers} == {1000}
    assert [len(answer.hits) for answer in answers] == [99] * 10 + [10]


async def test_the_best_known_come_in_pages(stub: SearchServiceAsyncStub, index: Index) -> None:
    films = search_pb2.EntryFilter(kinds=[search_pb2.KIND_FILM], year_max=1990)
    first = await stub.ListPopular(search_pb2.ListPopularRequest(filter=films, page_size=6))
    second = await stub.ListPopular(
        search_pb2.ListPopularRequest(filter=films, page_size=6, page_token=first.next_page_token)
    )
    only = Filter(frozenset({Kind.FILM}), year_max=1990)
    assert [*first.entries, *second.entries] == convert.suggestions_to_proto(index.popular(only, limit=12))
    assert first.index_version == INDEX_VERSION


async def test_a_page_token_is_good_for_its_query_alone(stub: SearchServiceAsyncStub) -> None:
    token = (await stub.Search(search_pb2.SearchRequest(query="the", page_size=2))).next_page_token
    again = await stub.Search(search_pb2.SearchRequest(query="The!", page_size=5, page_token=token, explain=True))
    assert len(again.hits) == 5
    scope = convert.scope("Search", "the", Filter())
    for request in (
        search_pb2.SearchRequest(query="them", page_token=token),
        search_pb2.SearchRequest(query="the", page_token=token, filter=search_pb2.EntryFilter(year_min=1)),
        search_pb2.SearchRequest(query="the", page_token="garbage"),
        search_pb2.SearchRequest(query="the", page_token=pages.token(scope, ["-1"])),
        search_pb2.SearchRequest(query="the", page_token=pages.token(scope, ["9" * 300])),
        search_pb2.SearchRequest(query="the", page_token=pages.token(scope, ["٣"])),
        search_pb2.SearchRequest(query="the", page_token=pages.token(scope, ["1", "2"])),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Search(request)
        assert broken_fields(refused.value) == ["page_token"]
    with pytest.raises(grpc.aio.AioRpcError) as popular:
        await stub.ListPopular(search_pb2.ListPopularRequest(page_token=token))
    assert broken_fields(popular.value) == ["page_token"]


async def test_nothing_is_behind_the_last_hit(stub: SearchServiceAsyncStub) -> None:
    token = pages.token(convert.scope("Search", "the", Filter()), ["1000"])
    answer = await stub.Search(search_pb2.SearchRequest(query="the", page_token=token))
    assert answer == search_pb2.SearchResponse(index_version=INDEX_VERSION)


async def test_a_character_and_its_title_name_each_other(dial: Dial) -> None:
    stub = SearchServiceStub(dial("chat"))
    character = await stub.GetCharacter(search_pb2.GetCharacterRequest(name=SHERLOCK))
    title = await stub.GetTitle(search_pb2.GetTitleRequest(name=character.title))
    assert character == search_pb2.Character(
        name=SHERLOCK,
        display_name="Sherlock Holmes",
        title="titles/sherlock",
        title_display_name="Sherlock",
        aliases=character.aliases,
        persona=character.persona,
        popularity=character.popularity,
    )
    assert (title.display_name, title.kind, title.year) == ("Sherlock", search_pb2.KIND_SERIES, 2010)
    assert title.characters[0] == SHERLOCK
    assert character.persona


async def test_a_character_of_whom_little_is_known_has_a_persona_all_the_same(stub: SearchServiceAsyncStub) -> None:
    character = await stub.GetCharacter(search_pb2.GetCharacterRequest(name="characters/rufus-firefly"))
    assert character == search_pb2.Character(
        name="characters/rufus-firefly",
        display_name="Rufus T. Firefly",
        title="titles/duck-soup",
        title_display_name="Duck Soup",
        aliases=["Firefly"],
        persona="Rufus T. Firefly, a character of Duck Soup (1933), played by Groucho Marx.",
        popularity=41,
        actors=["Groucho Marx"],
    )


async def test_a_title_says_what_it_is_about_and_for_whom(stub: SearchServiceAsyncStub) -> None:
    title = await stub.GetTitle(search_pb2.GetTitleRequest(name="titles/after-midnight"))
    assert (title.overview, title.adult) == ("For adults.", True)


async def test_what_is_not_in_the_catalogue_is_not_found(stub: SearchServiceAsyncStub) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as no_title:
        await stub.GetTitle(search_pb2.GetTitleRequest(name="titles/nothing-of-the-kind"))
    with pytest.raises(grpc.aio.AioRpcError) as no_character:
        await stub.GetCharacter(search_pb2.GetCharacterRequest(name="characters/nobody"))
    refusals = [(one.value.code(), error_info(one.value).reason) for one in (no_title, no_character)]
    assert refusals == [
        (grpc.StatusCode.NOT_FOUND, "TITLE_NOT_FOUND"),
        (grpc.StatusCode.NOT_FOUND, "CHARACTER_NOT_FOUND"),
    ]


BACKWARDS = search_pb2.EntryFilter(year_min=2000, year_max=1999)


@pytest.mark.parametrize(
    ("method", "request_", "fields"),
    [
        ("Suggest", search_pb2.SuggestRequest(), ["query"]),
        ("Suggest", search_pb2.SuggestRequest(query="x" * 201), ["query"]),
        ("Suggest", search_pb2.SuggestRequest(query="x" * 10_000), ["query"]),
        ("Suggest", search_pb2.SuggestRequest(query="a\0b"), ["query"]),
        ("Suggest", search_pb2.SuggestRequest(query="x", page_size=51), ["page_size"]),
        ("Suggest", search_pb2.SuggestRequest(query="x", page_size=-(2**31)), ["page_size"]),
        ("Suggest", search_pb2.SuggestRequest(query="x", sequence=-1), ["sequence"]),
        ("Suggest", search_pb2.SuggestRequest(query="x", kinds=[0]), ["kinds"]),  # type: ignore[list-item]
        ("Suggest", search_pb2.SuggestRequest(query="x", kinds=[99]), ["kinds"]),  # type: ignore[list-item]
        ("Suggest", search_pb2.SuggestRequest(query="x", kinds=[search_pb2.KIND_FILM] * 11), ["kinds"]),
        ("Suggest", search_pb2.SuggestRequest(query="x", filter=BACKWARDS), ["filter.year_max"]),
        ("Search", search_pb2.SearchRequest(), ["query"]),
        ("Search", search_pb2.SearchRequest(query="x" * 10_000), ["query"]),
        ("Search", search_pb2.SearchRequest(query="x", page_size=-1), ["page_size"]),
        ("Search", search_pb2.SearchRequest(query="x", page_token="x" * 501), ["page_token"]),
        ("Search", search_pb2.SearchRequest(query="x", filter=BACKWARDS), ["filter.year_max"]),
        (
            "Search",
            search_pb2.SearchRequest(query="x", filter=search_pb2.EntryFilter(year_min=-1, kinds=[99])),  # type: ignore[list-item]
            ["filter.kinds", "filter.year_min"],
        ),
        ("ListPopular", search_pb2.ListPopularRequest(page_size=-1), ["page_size"]),
        ("ListPopular", search_pb2.ListPopularRequest(filter=BACKWARDS), ["filter.year_max"]),
        ("GetTitle", search_pb2.GetTitleRequest(), ["name"]),
        ("GetTitle", search_pb2.GetTitleRequest(name="titles/../x"), ["name"]),
        ("GetTitle", search_pb2.GetTitleRequest(name="characters/neo"), ["name"]),
        ("GetCharacter", search_pb2.GetCharacterRequest(name="characters/Neo"), ["name"]),
        ("GetCharacter", search_pb2.GetCharacterRequest(name="characters/" + "x" * 130), ["name"]),
    ],
    ids=lambda value: None,
)
async def test_a_request_that_breaks_a_rule_is_refused_by_its_field(
    stub: SearchServiceAsyncStub, method: str, request_: object, fields: list[str]
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await getattr(stub, method)(request_)
    assert broken_fields(refused.value) == fields


@pytest.mark.parametrize(
    "query",
    [
        "x" * 200,
        "🦄" * 200,
        "\ufdfa" * 200,
        "\u202e\u0301\u200d",
        "進" * 200,
        "a b " * 50,
        "שרלוק הולמס",
        "'; DROP TABLE titles; --",
        "%' OR 1=1",
        "\r\n\t\x7f\x9f",
        "\U0010ffff\uffff",
    ],
)
async def test_no_text_of_legal_length_breaks_a_search(stub: SearchServiceAsyncStub, query: str) -> None:
    answer = await stub.Search(search_pb2.SearchRequest(query=query, page_size=100, explain=True))
    texts = [one.matched_alias or one.matched_actor or one.display_name for one in answer.hits]
    assert ["".join(piece.text for piece in one.segments) for one in answer.hits] == texts
    assert isinstance(await suggested(stub, query=query), list)
