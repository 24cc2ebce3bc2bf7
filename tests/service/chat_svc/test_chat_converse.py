import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import grpc
import pytest

from runtime.streams import reading
from scenemesh.chat.v1 import chat_pb2
from services.chat_svc.turning.conversing import Conversing
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.replica import WAIT_SECONDS, Person, Replica
from tests.service.chat_svc.siblings import FakeQuota

SLOW = Behaviour(stall_after=2)

Responses = list[chat_pb2.ConverseResponse]


class Stream:
    """A person's open stream."""

    def __init__(self, call: Any) -> None:
        self._call = call

    async def say(self, place: int, **request: Any) -> None:
        await self._call.write(chat_pb2.ConverseRequest(place=place, **request))

    async def hear(self) -> chat_pb2.ConverseResponse:
        async with asyncio.timeout(WAIT_SECONDS):
            response: chat_pb2.ConverseResponse = await self._call.read()
        return response

    async def hear_until(self, kind: str) -> Responses:
        """What comes, up to the first event or response of a kind."""
        heard: Responses = []
        while not heard or kind not in (heard[-1].WhichOneof("response"), heard[-1].event.WhichOneof("event")):
            heard.append(await self.hear())
        return heard

    async def rest(self) -> Responses:
        """What comes after the last request."""
        await self._call.done_writing()
        heard: Responses = []
        async with asyncio.timeout(WAIT_SECONDS):
            while (response := await self._call.read()) is not grpc.aio.EOF:
                heard.append(response)
        return heard


@asynccontextmanager
async def conversing(person: Person) -> AsyncGenerator[Stream, None]:
    async with reading(person.stub.Converse(metadata=person.metadata)) as call:
        yield Stream(call)


def error(response: chat_pb2.ConverseResponse) -> tuple[int, int, str]:
    return response.place, response.error.code, response.error.reason


async def test_one_stream_opens_sends_and_watches(alice: Person) -> None:
    parent = await alice.conversation()
    async with conversing(alice) as stream:
        await stream.say(1, open=parent)
        opened = await stream.hear()
        await stream.say(2, send=chat_pb2.SendMessageRequest(text="Who are you?"))
        sent = await stream.hear_until("finished")
        await stream.say(3, watch=chat_pb2.WatchMessageRequest(name=sent[0].event.message, after=1))
        watched = await stream.rest()
    assert (opened.place, opened.opened.name) == (1, parent)
    assert {one.place for one in sent} == {2}
    assert [one.event.number for one in sent] == list(range(1, len(sent) + 1))
    assert [(one.place, one.event) for one in watched] == [(3, one.event) for one in sent[1:]]


async def test_an_answer_can_be_stopped_on_the_stream_that_hears_it(alice: Person, fake: FakeProvider) -> None:
    parent = await alice.conversation()
    fake.script(SLOW)
    async with conversing(alice) as stream:
        await stream.say(1, open=parent)
        await stream.say(2, send=chat_pb2.SendMessageRequest(text="Go on."))
        delta = (await stream.hear_until("delta"))[-1]
        await stream.say(3, stop=chat_pb2.StopMessageRequest(name=delta.event.message))
        rest = await stream.rest()
    assert {(one.place, one.WhichOneof("response")) for one in rest} == {(2, "event"), (3, "stopped")}
    (stopped,) = [one.stopped for one in rest if one.place == 3]
    assert stopped.state == chat_pb2.MESSAGE_STATE_COMPLETE


async def test_what_fails_is_told_and_the_stream_goes_on(alice: Person, quota: FakeQuota) -> None:
    parent, other = await alice.conversation(), await alice.conversation()
    async with conversing(alice) as stream:
        await stream.say(1, send=chat_pb2.SendMessageRequest(text="Too early."))
        assert error(await stream.hear()) == (1, 9, "NOT_OPEN")
        await stream.say(2, open=parent)
        assert (await stream.hear()).place == 2
        await stream.say(3, open=parent)
        assert error(await stream.hear()) == (3, 9, "ALREADY_OPEN")
        await stream.say(4, send=chat_pb2.SendMessageRequest(text=""))
        assert error(await stream.hear()) == (4, 3, "INVALID_ARGUMENT")
        await stream.say(5, send=chat_pb2.SendMessageRequest(parent=other, text="Elsewhere."))
        assert error(await stream.hear()) == (5, 3, "INVALID_ARGUMENT")
        quota.left = 0
        await stream.say(6, send=chat_pb2.SendMessageRequest(text="Without credit."))
        assert error(await stream.hear()) == (6, 8, "QUOTA_EXHAUSTED")
        quota.left = 1
        await stream.say(7, send=chat_pb2.SendMessageRequest(text="With credit."))
        assert (await stream.rest())[-1].event.WhichOneof("event") == "finished"


async def test_a_conversation_of_somebody_else_is_none(alice: Person, first: Replica) -> None:
    parent = await alice.conversation()
    async with conversing(first.person("mallory")) as stream:
        await stream.say(1, open=parent)
        assert error(await stream.hear()) == (1, 5, "CONVERSATION_NOT_FOUND")


async def test_who_hangs_up_stops_no_answer(alice: Person, fake: FakeProvider, first: Replica) -> None:
    parent = await alice.conversation()
    fake.script(SLOW)
    async with conversing(alice) as stream:
        await stream.say(1, open=parent)
        await stream.say(2, send=chat_pb2.SendMessageRequest(text="Go on."))
        delta = (await stream.hear_until("delta"))[-1]
    answer = delta.event.message
    assert [one.hex for one in first.generations.running] == [answer.split("/")[3].replace("-", "")]


async def test_so_many_requests_at_once_and_no_more(alice: Person, fake: FakeProvider) -> None:
    parent = await alice.conversation()
    fake.script(SLOW)
    async with conversing(alice) as stream:
        await stream.say(1, open=parent)
        await stream.say(2, send=chat_pb2.SendMessageRequest(text="Go on."))
        answer = (await stream.hear_until("delta"))[-1].event.message
        for place in range(3, 11):
            await stream.say(place, watch=chat_pb2.WatchMessageRequest(name=answer, after=1_000))
        assert error((await stream.hear_until("error"))[-1]) == (10, 8, "TOO_MANY_AT_ONCE")


@pytest.mark.parametrize("name", ["", "conversations/1"])
async def test_a_request_that_breaks_the_contract_ends_the_stream(alice: Person, name: str) -> None:
    async with conversing(alice) as stream:
        await stream.say(1, open=name)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stream.rest()
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_whoever_speaks_can_be_interrupted(alice: Person, fake: FakeProvider) -> None:
    parent = await alice.conversation()
    fake.script(SLOW)
    async with conversing(alice) as stream:
        await stream.say(1, open=parent)
        await stream.say(2, send=chat_pb2.SendMessageRequest(text="Go on."))
        await stream.hear_until("delta")
        await stream.say(3, send=chat_pb2.SendMessageRequest(text="And now?"))
        assert error((await stream.hear_until("error"))[-1]) == (3, 10, "ANSWER_IN_PROGRESS")
        await stream.say(4, send=chat_pb2.SendMessageRequest(text="Stop! And now?"), interrupt=True)
        rest = await stream.rest()
    endings = {one.place: one.event.finished.reason for one in rest if one.event.HasField("finished")}
    assert endings == {2: chat_pb2.FINISH_REASON_STOPPED, 4: chat_pb2.FINISH_REASON_STOP}


async def test_a_stream_on_which_nothing_happens_beats(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.chat_svc.turning.conversing.HEARTBEAT_SECONDS", 0.01)
    async with conversing(alice) as stream:
        assert [(await stream.hear()).WhichOneof("response") for _ in range(3)] == ["heartbeat"] * 3


async def test_a_stream_that_nobody_reads_any_more_ends_without_a_fault(
    first: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chat_svc.turning.conversing.HEARTBEAT_SECONDS", 0.01)
    closed = asyncio.Event()

    async def requests() -> AsyncGenerator[chat_pb2.ConverseRequest, None]:
        try:
            await asyncio.Event().wait()
            yield chat_pb2.ConverseRequest()
        finally:
            closed.set()

    async with aclosing(Conversing(first.parts, "alice").responses(requests())) as responses:
        assert (await anext(responses)).WhichOneof("response") == "heartbeat"
    assert closed.is_set()
