import asyncio
from contextlib import aclosing

import grpc
import pytest

from cli import answers
from cli.client import Client
from cli.failures import Failure
from runtime.errors import Internal, Unavailable
from scenemesh.chat.v1 import chat_pb2
from tests.service.cli.conftest import WAIT_SECONDS
from tests.service.cli.fake_edge import CONVERSATION, MESSAGE, NEXT, WHOLE, Script, delayed, delta, finished, started

DROPPED = grpc.StatusCode.UNAVAILABLE
RESET = grpc.StatusCode.INTERNAL
AT_ONCE = (0.0,) * len(answers.PAUSES_SECONDS)


async def heard(script: Script) -> list[chat_pb2.ChatEvent]:
    client = Client(script.url, "a.b.c")
    async with client.open() as channel, aclosing(
        answers.events(client, channel, CONVERSATION, "Who are you?", AT_ONCE)
    ) as events:  # fmt: skip
        return [event async for event in events]


def watched(script: Script) -> list[chat_pb2.WatchMessageRequest]:
    return [request for request in script.requests if isinstance(request, chat_pb2.WatchMessageRequest)]


async def test_an_answer_that_comes_whole_is_not_watched(script: Script) -> None:
    assert await heard(script) == list(WHOLE)
    assert watched(script) == []
    assert script.tokens == ["a.b.c"]


async def test_whoever_leaves_an_answer_ends_the_call(script: Script) -> None:
    script.sends = [(*WHOLE[:2], grpc.StatusCode.OK)]
    client = Client(script.url, "a.b.c")
    async with client.open() as channel, aclosing(
        answers.events(client, channel, CONVERSATION, "Who are you?", AT_ONCE)
    ) as events:  # fmt: skip
        async for event in events:
            if event.HasField("delta"):
                break
        await events.aclose()
        async with asyncio.timeout(WAIT_SECONDS):
            await script.abandoned.wait()
    assert watched(script) == []


async def test_a_broken_stream_goes_on_after_the_last_event_and_gives_none_twice(script: Script) -> None:
    script.sends = [WHOLE[:2]]
    script.watches = [(RESET,), (WHOLE[1], WHOLE[2], DROPPED), (WHOLE[3],)]
    assert await heard(script) == list(WHOLE)
    assert watched(script) == [chat_pb2.WatchMessageRequest(name=MESSAGE, after=after) for after in (2, 2, 3)]


async def test_a_delay_is_told_and_a_broken_stream_goes_on_after_the_event_before_it(script: Script) -> None:
    script.sends = [(started(), delta(2, "Element"), delayed(2), DROPPED)]
    script.watches = [(delayed(2), DROPPED), WHOLE[2:]]
    assert await heard(script) == [*WHOLE[:2], delayed(2), delayed(2), *WHOLE[2:]]
    assert [request.after for request in watched(script)] == [2, 2]


async def test_a_delay_of_the_next_answer_of_a_round_comes_before_its_beginning(script: Script) -> None:
    script.sends = [(started(), finished(2, following=NEXT), delayed(0, NEXT), DROPPED)]
    rest = (delayed(0, NEXT), started(1, NEXT), finished(2, NEXT))
    script.watches = [rest]
    assert await heard(script) == [started(), finished(2, following=NEXT), delayed(0, NEXT), *rest]
    assert watched(script) == [chat_pb2.WatchMessageRequest(name=NEXT)]


async def test_a_service_that_says_to_come_again_is_asked_again(script: Script) -> None:
    script.sends = [(started(), DROPPED)]
    script.watches = [(Unavailable("Not now.", reason="DATABASE_UNAVAILABLE"),), (delta(2, "x"), finished(3))]
    assert [event.number for event in await heard(script)] == [1, 2, 3]


async def test_an_answer_is_taken_up_five_times_at_most(script: Script) -> None:
    script.sends = [(started(), DROPPED)]
    script.watches = [(DROPPED,)] * 9
    with pytest.raises(grpc.aio.AioRpcError):
        await heard(script)
    assert len(watched(script)) == 5


async def test_a_stream_that_never_ends_properly_is_given_up(script: Script) -> None:
    script.sends = [(started(),)]
    script.watches = [()] * 9
    with pytest.raises(Failure, match="broke off"):
        await heard(script)
    assert len(watched(script)) == 5


@pytest.mark.parametrize(
    "refusal", [DROPPED, Unavailable("No.", reason="MODEL_AWAY"), Internal("x", reason="INTERNAL")]
)
async def test_what_is_refused_before_the_first_event_is_not_tried_again(script: Script, refusal: object) -> None:
    script.sends = [(refusal,)]  # type: ignore[list-item]
    with pytest.raises(grpc.aio.AioRpcError):
        await heard(script)
    assert watched(script) == []


async def test_a_defect_in_mid_answer_is_not_tried_again(script: Script) -> None:
    script.sends = [(started(), Internal("x", reason="INTERNAL"))]
    with pytest.raises(grpc.aio.AioRpcError):
        await heard(script)
    assert watched(script) == []


async def test_a_stream_without_any_event_is_given_up(script: Script) -> None:
    script.sends = [()]
    with pytest.raises(Failure, match="broke off"):
        await heard(script)
