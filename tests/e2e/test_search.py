"""Finding a character as the apps do it: at every keystroke, a page at a time, along a search box."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import grpc
import pytest
from google.protobuf import json_format
from yarl import URL

from scenemesh.search.v1 import search_pb2, search_pb2_grpc
from tests.e2e.clients import Answer, Json, Rest, bearer, buf_curl, channel, requested
from tests.e2e.stack import Stack

if TYPE_CHECKING:
    from scenemesh.search.v1.search_pb2_grpc import SearchServiceAsyncStub

SERVICE = "scenemesh.search.v1.SearchService"
SESSION_SECONDS_MAX = 180
BODY_BYTES_MAX = 128 * 1024


async def got(stack: Stack, path: str, **parameters: Any) -> Answer:
    """GET with parameters, a list of values for a repeated one."""
    asked = urlencode({name.replace("__", "."): value for name, value in parameters.items()}, doseq=True)
    return await Rest(stack.url, stack.token(user="finder")).call("GET", f"{path}?{asked}")


async def found(stack: Stack, path: str, **parameters: Any) -> Json:
    answer = await got(stack, path, **parameters)
    assert answer.status == 200, answer.body
    assert isinstance(answer.body, dict)
    return answer.body


def names(entries: list[Json]) -> list[str]:
    return [entry["name"] for entry in entries]


async def test_a_film_is_found_by_the_beginning_of_its_name_without_accents(stack: Stack) -> None:
    for query in ("amélie", "AMELI", "ame\u0301l"):
        answer = await found(stack, "/v1/suggest", query=query, filter__kinds="KIND_FILM", sequence=7)
        (first, *_) = answer["suggestions"]
        assert (first["name"], first["display_name"], first["kind"]) == ("titles/amelie", "Amélie", "KIND_FILM")
        assert "".join(piece["text"] for piece in first["segments"]) == "Amélie"
        assert first["segments"][0]["matched"] is True
        assert "score" not in first
        assert answer["sequence"] == "7"
        assert answer["index_version"].startswith("indexVersions/")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("dark kn", "The Dark Knight"),
        ("thedarkknight", "The Dark Knight"),
        ("spiderman", "Spider-Man"),
        ("sherlok", "Sherlock Holmes"),
        ("進撃", "Attack on Titan"),
    ],
)
async def test_what_people_type_finds_what_they_mean(stack: Stack, query: str, name: str) -> None:
    answer = await found(stack, "/v1/suggest", query=query)
    assert name in [one["display_name"] for one in answer["suggestions"]]


async def test_a_score_is_told_to_those_who_ask(stack: Stack) -> None:
    answer = await found(stack, "/v1/suggest", query="the dark knight", page_size=1, explain="true")
    score = answer["suggestions"][0]["score"]
    assert (score["match"], score["typos"]) == ("MATCH_EXACT_NAME", 0)


async def test_pages_follow_one_another(stack: Stack) -> None:
    once = await found(stack, "/v1/search", query="the", page_size=12, filter__kinds=["KIND_FILM", "KIND_SERIES"])
    hits: list[Json] = []
    token = ""
    for _ in range(3):
        page = await found(
            stack, "/v1/search", query="the", page_size=4, page_token=token, filter__kinds=["KIND_FILM", "KIND_SERIES"]
        )
        hits += page["hits"]
        token = page["next_page_token"]
        assert (page["total_size"], page["index_version"]) == (once["total_size"], once["index_version"])
    assert hits == once["hits"]
    stolen = await got(stack, "/v1/search", query="they", page_token=token)
    assert stolen.status == 400


async def test_the_best_known_are_listed(stack: Stack) -> None:
    first = await found(stack, "/v1/popular", page_size=5, filter__kinds="KIND_CHARACTER")
    second = await found(
        stack, "/v1/popular", page_size=5, filter__kinds="KIND_CHARACTER", page_token=first["next_page_token"]
    )
    both = [*first["entries"], *second["entries"]]
    assert len(set(names(both))) == 10
    known = [entry["popularity"] for entry in both]
    assert known == sorted(known, reverse=True)


async def test_what_was_found_can_be_got(stack: Stack) -> None:
    character = await found(stack, "/v1/characters/sherlock-holmes")
    title = await found(stack, f"/v1/{character['title']}")
    assert (character["display_name"], character["title_display_name"]) == ("Sherlock Holmes", title["display_name"])
    assert character["name"] in title["characters"]
    assert (await got(stack, "/v1/characters/nobody")).status == 404


@pytest.mark.parametrize("protocol", ["grpc", "grpcweb"])
async def test_every_protocol_gives_what_rest_gives(stack: Stack, protocol: str) -> None:
    request = {"query": "shrek", "page_size": 3, "filter": {"kinds": ["KIND_FILM", "KIND_CHARACTER"]}}
    over_rest = await found(
        stack, "/v1/suggest", query="shrek", page_size=3, filter__kinds=["KIND_FILM", "KIND_CHARACTER"]
    )
    # The schema comes by reflection, which is for operators.
    token = stack.token(user="finder", role="operator")
    curl = await buf_curl(stack.url, protocol, f"{SERVICE}/Suggest", request, token)
    assert curl.error is None
    assert [_suggested(one) for one in curl.messages] == [_suggested(over_rest)]
    assert over_rest["suggestions"]


def _suggested(answer: Json) -> search_pb2.SuggestResponse:
    return json_format.ParseDict(answer, search_pb2.SuggestResponse())


def test_the_command_finds_it_too(stack: Stack) -> None:
    told = json.loads(stack.run("search", "amelie", "--kind", "film", "--json").stdout)
    assert told["suggestions"][0]["name"] == "titles/amelie"


async def test_a_search_box_is_one_stream_however_much_is_typed(stack: Stack) -> None:
    async with channel(stack.url) as opened, asyncio.timeout(SESSION_SECONDS_MAX):
        box = _box(opened, stack, "typist")
        sent_bytes = 0
        sequence = 0
        while sent_bytes <= BODY_BYTES_MAX * 3 // 2:
            sequence += 1
            request = search_pb2.SuggestSessionRequest(sequence=sequence, query=f"the dark {'k' * 150} {sequence}")
            sent_bytes += request.ByteSize()
            await box.write(request)
            answer = await box.read()
            assert isinstance(answer, search_pb2.SuggestSessionResponse)
            assert answer.sequence == sequence
        await box.write(search_pb2.SuggestSessionRequest(sequence=sequence + 1, query="the dark kn", page_size=1))
        await box.done_writing()
        last = await box.read()
        assert isinstance(last, search_pb2.SuggestSessionResponse)
        assert (last.sequence, [one.display_name for one in last.suggestions]) == (sequence + 1, ["The Dark Knight"])
        assert await box.read() is grpc.aio.EOF
        assert await box.code() is grpc.StatusCode.OK


async def test_only_the_newest_of_a_burst_must_be_answered(stack: Stack) -> None:
    sent = 300
    async with channel(stack.url) as opened, asyncio.timeout(SESSION_SECONDS_MAX):
        box = _box(opened, stack, "fast-typist")
        for sequence in range(1, sent + 1):
            await box.write(
                search_pb2.SuggestSessionRequest(sequence=sequence, query="dark knight"[: sequence % 11 + 1])
            )
        await box.done_writing()
        answers = []
        while isinstance(answer := await box.read(), search_pb2.SuggestSessionResponse):
            answers.append(answer)
    sequences = [answer.sequence for answer in answers]
    assert sequences == sorted(set(sequences))
    assert sequences[-1] == sent
    assert len(answers) + sum(answer.skipped for answer in answers) == sent


async def test_a_box_that_counts_backwards_is_closed(stack: Stack) -> None:
    async with channel(stack.url) as opened, asyncio.timeout(SESSION_SECONDS_MAX):
        box = _box(opened, stack, "backwards")
        for sequence in (2, 1):
            await box.write(search_pb2.SuggestSessionRequest(sequence=sequence, query="dark"))
        assert getattr(await box.read(), "sequence", None) == 2
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await box.read()
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def _box(
    opened: grpc.aio.Channel, stack: Stack, user: str
) -> grpc.aio.StreamStreamCall[search_pb2.SuggestSessionRequest, search_pb2.SuggestSessionResponse]:
    stub: SearchServiceAsyncStub = search_pb2_grpc.SearchServiceStub(opened)
    return stub.SuggestSession(metadata=bearer(stack.token(user=user)))


EMPTY = {
    "emoji": "🦄🦄🦄",
    "punctuation": "?!…",
    "override": "\u202e\u202d",
    "controls": "\x01\x1b\x7f",
    "sql": "'; DROP TABLE titles; --zqx",
    "unknown": "zqxzqxzqx",
}


@pytest.mark.parametrize("query", EMPTY.values(), ids=EMPTY)
@pytest.mark.parametrize(("path", "field"), [("/v1/suggest", "suggestions"), ("/v1/search", "hits")])
async def test_what_means_nothing_finds_nothing(stack: Stack, path: str, field: str, query: str) -> None:
    assert (await found(stack, path, query=query))[field] == []


async def test_text_from_right_to_left_is_text(stack: Stack) -> None:
    assert isinstance((await found(stack, "/v1/suggest", query="שרלוק הולמס"))["suggestions"], list)


REFUSED = {
    "nothing": "/v1/suggest",
    "empty": "/v1/search?query=",
    "long": f"/v1/suggest?query={'x' * 10_000}",
    "long search": f"/v1/search?query={'x' * 10_000}",
    "long emoji": f"/v1/search?query={'%F0%9F%98%80' * 201}",
    "nul": "/v1/suggest?query=a%00b",
    "size": "/v1/suggest?query=x&page_size=1000000000",
    "overflow": "/v1/search?query=x&page_size=99999999999",
    "negative": "/v1/search?query=x&page_size=-1",
    "fraction": "/v1/search?query=x&page_size=1.5",
    "kind": "/v1/suggest?query=x&filter.kinds=KIND_OPERA",
    "old kind": "/v1/suggest?query=x&kinds=KIND_OPERA",
    "number": "/v1/suggest?query=x&filter.kinds=99",
    "no kind": "/v1/search?query=x&filter.kinds=KIND_UNSPECIFIED",
    "filter": "/v1/search?query=x&filter.colour=red",
    "years": "/v1/search?query=x&filter.year_min=2000&filter.year_max=1999",
    "year": "/v1/popular?filter.year_min=-1",
    "token": "/v1/search?query=x&page_token=garbage",
    "popular token": "/v1/popular?page_token=%22%27",
    "utf-8": "/v1/suggest?query=%ff%fe",
    "surrogate": "/v1/suggest?query=%ed%a0%80",
    "sequence": "/v1/suggest?query=x&sequence=-1",
}


@pytest.mark.parametrize("path", REFUSED.values(), ids=REFUSED)
async def test_what_breaks_a_rule_is_400(stack: Stack, path: str) -> None:
    headers = Rest(stack.url, stack.token(user="abuser")).headers()
    async with requested("GET", URL(stack.url + path, encoded=True), headers=headers) as response:
        assert response.status == 400, await response.text()


async def test_a_page_is_never_longer_than_a_hundred(stack: Stack) -> None:
    assert len((await found(stack, "/v1/search", query="s", page_size=1_000_000_000))["hits"]) == 100
    assert len((await found(stack, "/v1/popular", page_size=1_000_000_000))["entries"]) == 100
