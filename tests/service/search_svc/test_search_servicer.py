import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from runtime.status import error_info
from scenemesh.search.v1 import search_pb2
from scenemesh.search.v1.search_pb2_grpc import SearchServiceStub
from tests.harness.serving import Dial

SHERLOCK = "characters/sherlock-holmes"


async def suggested(dial: Dial, **request: object) -> list[search_pb2.Suggestion]:
    answer = await SearchServiceStub(dial("edge")).Suggest(search_pb2.SuggestRequest(**request))  # type: ignore[arg-type]
    return list(answer.suggestions)


async def test_a_character_is_suggested_with_the_title_it_comes_from(dial: Dial) -> None:
    (first, *_) = await suggested(dial, query="sherlock ho")
    assert first == search_pb2.Suggestion(
        name=SHERLOCK,
        display_name="Sherlock Holmes",
        kind=search_pb2.KIND_CHARACTER,
        title_display_name="Sherlock",
        year=2010,
        popularity=first.popularity,
    )


async def test_an_alias_that_matched_is_told(dial: Dial) -> None:
    (first, *_) = await suggested(dial, query="shingeki", kinds=[search_pb2.KIND_ANIME])
    assert (first.display_name, first.matched_alias) == ("Attack on Titan", "Shingeki no Kyojin")


async def test_pages_are_ten_long_unless_the_caller_says_otherwise(dial: Dial) -> None:
    lengths = [len(await suggested(dial, query="s", page_size=size)) for size in (0, 3, 50)]
    assert lengths == [10, 3, 50]


async def test_only_the_wanted_kinds_are_suggested(dial: Dial) -> None:
    series = await suggested(dial, query="s", kinds=[search_pb2.KIND_SERIES])
    assert {one.kind for one in series} == {search_pb2.KIND_SERIES}


@pytest.mark.parametrize("query", ["?!…", " ", "zzzzqqq"])
async def test_nothing_found_is_an_empty_answer(dial: Dial, query: str) -> None:
    assert await suggested(dial, query=query) == []


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


async def test_what_is_not_in_the_catalogue_is_not_found(dial: Dial) -> None:
    stub = SearchServiceStub(dial("edge"))
    with pytest.raises(grpc.aio.AioRpcError) as no_title:
        await stub.GetTitle(search_pb2.GetTitleRequest(name="titles/nothing-of-the-kind"))
    with pytest.raises(grpc.aio.AioRpcError) as no_character:
        await stub.GetCharacter(search_pb2.GetCharacterRequest(name="characters/nobody"))
    refusals = [(one.value.code(), error_info(one.value).reason) for one in (no_title, no_character)]
    assert refusals == [
        (grpc.StatusCode.NOT_FOUND, "TITLE_NOT_FOUND"),
        (grpc.StatusCode.NOT_FOUND, "CHARACTER_NOT_FOUND"),
    ]


@pytest.mark.parametrize(
    ("method", "request_", "fields"),
    [
        ("Suggest", search_pb2.SuggestRequest(), ["query"]),
        ("Suggest", search_pb2.SuggestRequest(query="x" * 201), ["query"]),
        ("Suggest", search_pb2.SuggestRequest(query="a\0b"), ["query"]),
        ("Suggest", search_pb2.SuggestRequest(query="x", page_size=51), ["page_size"]),
        ("Suggest", search_pb2.SuggestRequest(query="x", page_size=-(2**31)), ["page_size"]),
        ("Suggest", search_pb2.SuggestRequest(query="x", kinds=[0]), ["kinds"]),  # type: ignore[list-item]
        ("Suggest", search_pb2.SuggestRequest(query="x", kinds=[99]), ["kinds"]),  # type: ignore[list-item]
        ("Suggest", search_pb2.SuggestRequest(query="x", kinds=[search_pb2.KIND_FILM] * 11), ["kinds"]),
        ("GetTitle", search_pb2.GetTitleRequest(), ["name"]),
        ("GetTitle", search_pb2.GetTitleRequest(name="titles/../x"), ["name"]),
        ("GetTitle", search_pb2.GetTitleRequest(name="characters/neo"), ["name"]),
        ("GetCharacter", search_pb2.GetCharacterRequest(name="characters/Neo"), ["name"]),
        ("GetCharacter", search_pb2.GetCharacterRequest(name="characters/" + "x" * 130), ["name"]),
    ],
    ids=lambda value: None,
)
async def test_a_request_that_breaks_a_rule_is_refused_by_its_field(
    dial: Dial, method: str, request_: object, fields: list[str]
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await getattr(SearchServiceStub(dial("edge")), method)(request_)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    status = rpc_status.from_call(refused.value)
    told = error_details_pb2.BadRequest()
    assert any(detail.Unpack(told) for detail in status.details)
    assert sorted({violation.field.partition("[")[0] for violation in told.field_violations}) == fields


@pytest.mark.parametrize(
    "query", ["x" * 200, "🦄" * 200, "\ufdfa" * 200, "\u202e\u0301\u200d", "進" * 200, "a b " * 50]
)
async def test_no_text_of_legal_length_breaks_a_search(dial: Dial, query: str) -> None:
    assert isinstance(await suggested(dial, query=query), list)
