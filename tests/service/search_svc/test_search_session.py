from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from runtime.status import error_info
from scenemesh.search.v1 import search_pb2
from tests.service.search_svc.answering import DUCK_SOUP, INDEX_VERSION, InService, built

if TYPE_CHECKING:
    from scenemesh.search.v1.search_pb2_grpc import SearchServiceAsyncStub

WAIT_SECONDS = 60

Request, Response = search_pb2.SuggestSessionRequest, search_pb2.SuggestSessionResponse
Call = grpc.aio.StreamStreamCall[search_pb2.SuggestSessionRequest, search_pb2.SuggestSessionResponse]


async def answered(call: Call) -> list[search_pb2.SuggestSessionResponse]:
    """The rest of the answers; how the call ends says its code."""
    answers = []
    async with asyncio.timeout(WAIT_SECONDS):
        with suppress(grpc.aio.AioRpcError):
            while isinstance(read := await call.read(), Response):
                answers.append(read)
    return answers


async def answer(call: Call, **request: Any) -> search_pb2.SuggestSessionResponse:
    async with asyncio.timeout(WAIT_SECONDS):
        await call.write(Request(**request))
        read = await call.read()
    assert isinstance(read, Response)
    return read


async def refusal(call: Call) -> tuple[grpc.StatusCode, str]:
    """How the call was refused."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call.read()
    return refused.value.code(), error_info(refused.value).reason


def typed(text: str) -> Iterable[search_pb2.SuggestSessionRequest]:
    """Every beginning of a text."""
    return (Request(sequence=length, query=text[:length]) for length in range(1, len(text) + 1))


async def test_every_keystroke_is_answered_as_suggest_answers_it(stub: SearchServiceAsyncStub) -> None:
    call = stub.SuggestSession()
    only = search_pb2.EntryFilter(kinds=[search_pb2.KIND_CHARACTER])
    for request in typed("Sherlok Holmes"):
        said = await answer(call, sequence=request.sequence, query=request.query, page_size=3, filter=only)
        same = await stub.Suggest(search_pb2.SuggestRequest(query=request.query, page_size=3, filter=only))
        assert said == Response(
            sequence=request.sequence, suggestions=same.suggestions, index_version=INDEX_VERSION, skipped=0
        )
    await call.done_writing()
    assert await answered(call) == []
    assert await call.code() is grpc.StatusCode.OK


async def test_what_is_typed_faster_than_it_is_answered_is_passed_over(stub: SearchServiceAsyncStub) -> None:
    requests = [Request(sequence=10 * number, query=f"quagga {number}") for number in range(1, 501)]
    answers = await answered(stub.SuggestSession(iter(requests)))
    numbers = [one.sequence for one in answers]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 5000
    assert len(answers) + sum(one.skipped for one in answers) == len(requests)
    for one in answers:
        same = await stub.Suggest(search_pb2.SuggestRequest(query=f"quagga {one.sequence // 10}"))
        assert list(one.suggestions) == list(same.suggestions)


async def test_a_caller_that_reads_late_gets_the_newest(stub: SearchServiceAsyncStub) -> None:
    call = stub.SuggestSession()
    sent = 2000
    async with asyncio.timeout(WAIT_SECONDS):
        for number in range(1, sent + 1):
            await call.write(Request(sequence=number, query="quagga", page_size=50))
        await call.done_writing()
    answers = await answered(call)
    assert answers[-1].sequence == sent
    assert len(answers) + sum(one.skipped for one in answers) == sent


async def test_an_empty_box_is_answered_with_nothing(stub: SearchServiceAsyncStub) -> None:
    call = stub.SuggestSession()
    for number, query in enumerate(("", "🦄", " ", "\u202e"), 1):
        assert await answer(call, sequence=number, query=query) == Response(
            sequence=number, index_version=INDEX_VERSION
        )
    call.cancel()


@pytest.mark.parametrize("repeated", [2, 1])
async def test_a_number_that_does_not_grow_ends_the_stream(stub: SearchServiceAsyncStub, repeated: int) -> None:
    call = stub.SuggestSession(iter([Request(sequence=2, query="dark"), Request(sequence=repeated, query="dark k")]))
    assert [one.sequence for one in await answered(call)] == [2]
    assert await refusal(call) == (grpc.StatusCode.INVALID_ARGUMENT, "SEQUENCE_NOT_GROWING")


@pytest.mark.parametrize(
    "broken",
    [
        Request(sequence=2, query="x" * 201),
        Request(sequence=2, query="a\0b"),
        Request(sequence=2, page_size=51),
        Request(sequence=2, filter=search_pb2.EntryFilter(kinds=[99])),  # type: ignore[list-item]
        Request(sequence=2, query="x", filter=search_pb2.EntryFilter(year_min=2, year_max=1)),
        Request(),
    ],
    ids=["length", "nul", "page", "kind", "years", "number"],
)
async def test_a_message_that_breaks_a_rule_ends_the_stream(
    stub: SearchServiceAsyncStub, broken: search_pb2.SuggestSessionRequest
) -> None:
    call = stub.SuggestSession()
    assert (await answer(call, sequence=1, query="dark")).sequence == 1
    await call.write(broken)
    assert await refusal(call) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")


async def test_another_index_answers_from_its_first_keystroke_on(
    stub: SearchServiceAsyncStub, serving: InService, tmp_path: Path
) -> None:
    call = stub.SuggestSession()
    before = await answer(call, sequence=1, query="quagga")
    serving.swap(built([DUCK_SOUP], tmp_path, 8))
    after = await answer(call, sequence=2, query="quagga")
    call.cancel()
    assert (len(before.suggestions), before.index_version) == (10, INDEX_VERSION)
    assert after == Response(sequence=2, index_version="indexVersions/8")


async def test_a_caller_that_goes_away_leaves_nothing_behind(stub: SearchServiceAsyncStub) -> None:
    call = stub.SuggestSession()
    await answer(call, sequence=1, query="dark")
    assert _readers() == 1
    call.cancel()
    async with asyncio.timeout(WAIT_SECONDS):
        while _readers():
            await asyncio.sleep(0.01)
    assert (await stub.Suggest(search_pb2.SuggestRequest(query="dark"))).suggestions


def _readers() -> int:
    return sum("Box.fill" in repr(task.get_coro()) for task in asyncio.all_tasks())
