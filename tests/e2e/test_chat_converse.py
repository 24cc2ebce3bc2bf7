"""One stream for a whole conversation, through the edge: over gRPC, both ways, however long nobody says anything."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf import descriptor_pb2

from runtime.contract import POLICY, descriptor_set_path
from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc
from scenemesh.policy.v1 import policy_pb2
from tests.e2e.clients import bearer, channel
from tests.e2e.stack import Stack, running
from tests.e2e.talker import Talker

WAIT_SECONDS = 90
# What a machine with too much to do says.
BUSY = {code.value[0] for code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)}
# What a body may have that is no stream.
BODY_BYTES_MAX = 128 * 1024
# What may be on its way at once.
WINDOW_BYTES = 64 * 1024
# By so much is an edge less patient that a test waits for.
SHORTER = 60
FINISH_STOP, FINISH_STOPPED = chat_pb2.FINISH_REASON_STOP, chat_pb2.FINISH_REASON_STOPPED

Response = chat_pb2.ConverseResponse


class Stream:
    """Somebody's open stream."""

    def __init__(self, call: Any) -> None:
        self.call = call

    async def say(self, place: int, **request: Any) -> None:
        await self.call.write(chat_pb2.ConverseRequest(place=place, **request))

    async def hear(self) -> Response:
        """What comes next that is more than a sign of life."""
        while True:
            async with asyncio.timeout(WAIT_SECONDS):
                heard = await self.call.read()
            assert isinstance(heard, Response)
            if not heard.HasField("heartbeat"):
                return heard

    async def ask(self, place: int, **request: Any) -> Response:
        """The first response to a request, which is sent again where the machine is busy."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                await self.say(place, **request)
                heard = await self.hear()
                if heard.error.code not in BUSY:
                    return heard

    async def ask_for(self, kind: str, place: int, **request: Any) -> list[Response]:
        """What comes, up to the first event or response of a kind to this request, also of what was asked for before.

        The request is sent again where the machine is busy.
        """
        heard: list[Response] = []
        await self.say(place, **request)
        while not heard or not _is(heard[-1], kind, place):
            one = await self.hear()
            if one.place == place and one.error.code in BUSY:
                await self.say(place, **request)
                continue
            assert one.place != place or not one.HasField("error"), one
            heard.append(one)
        return heard

    async def hear_rest(self, place: int, heard: list[Response]) -> list[Response]:
        """What was heard and what else comes, up to the end of the answer to a request."""
        while not any(_is(one, "finished", place) for one in heard):
            heard.append(await self.hear())
        return heard


def _is(response: Response, kind: str, place: int) -> bool:
    return response.place == place and kind in (response.WhichOneof("response"), response.event.WhichOneof("event"))


def _answer(heard: list[Response], place: int) -> tuple[list[int], str, chat_pb2.Finished]:
    """The numbers of an answer's events, the text of its deltas, and how it ended."""
    events = [one.event for one in heard if one.place == place and one.HasField("event")]
    return [one.number for one in events], "".join(one.delta.text for one in events), events[-1].finished


@asynccontextmanager
async def conversing(talker: Talker, conversation: str, opened: grpc.aio.Channel) -> AsyncIterator[Stream]:
    call = chat_pb2_grpc.ChatServiceStub(opened).Converse(metadata=bearer(talker.token))
    try:
        stream = Stream(call)
        first = await stream.ask(1, open=conversation)
        assert (first.place, first.opened.name) == (1, conversation)
        yield stream
    finally:
        call.cancel()


async def test_one_stream_sends_hears_watches_and_stops(stack: Stack) -> None:
    ada = Talker(stack, "converse-ada")
    conversation = await ada.rest.conversation()
    async with channel(stack.url) as opened, conversing(ada, conversation, opened) as stream:
        sent = await stream.ask_for("finished", 2, send=chat_pb2.SendMessageRequest(text="Who are you?"))
        assert [(one.place, one.event.number) for one in sent] == [(2, number + 1) for number in range(len(sent))]
        answer = sent[0].event.message
        watched = await stream.ask_for("finished", 3, watch=chat_pb2.WatchMessageRequest(name=answer, after=2))
        assert [(one.place, one.event) for one in watched] == [(3, one.event) for one in sent[2:]]
        stopped = await stream.ask(4, stop=chat_pb2.StopMessageRequest(name=answer))
        assert (stopped.place, stopped.stopped.name) == (4, answer)
        await stream.call.done_writing()
        assert await stream.call.read() is grpc.aio.EOF
        assert await stream.call.code() is grpc.StatusCode.OK
    assert [one["name"] for one in await ada.messages(conversation)][-1] == answer


async def test_who_speaks_is_interrupted_and_what_was_said_stays(stack: Stack) -> None:
    flo = Talker(stack, "converse-flo")
    conversation = await flo.rest.conversation()
    await stack.provider.script(_endless())
    await stack.provider.script({"answer": ["So be it."]})
    async with channel(stack.url) as opened, conversing(flo, conversation, opened) as stream:
        heard = await stream.ask_for("delta", 2, send=chat_pb2.SendMessageRequest(text="Tell me all."))
        instead = chat_pb2.SendMessageRequest(text="No, wait.", request_id=str(uuid4()))
        heard += await stream.ask_for("finished", 3, send=instead, interrupt=True)
        numbers, cut, ended = _answer(await stream.hear_rest(2, heard), 2)
        _, said, replied = _answer(heard, 3)
    assert numbers == [*range(1, len(numbers) + 1)]
    assert (ended.reason, ended.message.text) == (FINISH_STOPPED, cut)
    assert (replied.reason, replied.message.text, said) == (FINISH_STOP, "So be it.", "So be it.")
    assert [one["text"] for one in await flo.messages(conversation)] == ["Tell me all.", cut, "No, wait.", said]
    assert cut.startswith("word ")
    assert (await flo.rest.settled())["used"] == "2"


async def test_a_stop_ends_the_answer_that_the_same_stream_hears(stack: Stack) -> None:
    gil = Talker(stack, "converse-gil")
    conversation = await gil.rest.conversation()
    await stack.provider.script(_endless())
    async with channel(stack.url) as opened, conversing(gil, conversation, opened) as stream:
        heard = await stream.ask_for("delta", 2, send=chat_pb2.SendMessageRequest(text="Tell me all."))
        stop = chat_pb2.StopMessageRequest(name=heard[0].event.message)
        heard += await stream.ask_for("stopped", 3, stop=stop)
        _, said, ended = _answer(await stream.hear_rest(2, heard), 2)
        (stopped,) = [one.stopped for one in heard if one.place == 3]
    assert (ended.reason, ended.message.text, stopped) == (FINISH_STOPPED, said, ended.message)
    assert said.startswith("word ")
    assert [one["text"] for one in await gil.messages(conversation)] == ["Tell me all.", said]
    assert (await gil.rest.settled())["used"] == "1"


def _endless() -> dict[str, Any]:
    """Goes on for longer than anybody listens, and so slowly that it costs one turn."""
    return {"answer": ["word "], "delay_ms": 200, "until": asyncio.Event()}


async def test_a_conversation_of_many_words_is_no_large_request(stack: Stack) -> None:
    """Both ways more than an edge's window and than a body may have."""
    ben, text = Talker(stack, "converse-ben"), "😀" * 8_000
    sent_bytes = heard_bytes = 0
    async with channel(stack.url) as opened, conversing(ben, await ben.rest.conversation(), opened) as stream:
        for place in range(2, 7):
            send = chat_pb2.SendMessageRequest(text=text)
            sent_bytes += send.ByteSize()
            heard = await stream.ask_for("finished", place, send=send)
            assert heard[0].event.started.user_message.text == text
            heard_bytes += sum(one.ByteSize() for one in heard)
        refused = await stream.ask(7, send=chat_pb2.SendMessageRequest(text="More?"))
        assert (refused.place, refused.error.code, refused.error.reason) == (
            7,
            grpc.StatusCode.RESOURCE_EXHAUSTED.value[0],
            "QUOTA_EXHAUSTED",
        )
    assert min(sent_bytes, heard_bytes) > BODY_BYTES_MAX > WINDOW_BYTES


async def test_what_belongs_to_another_does_not_exist(stack: Stack) -> None:
    cy, dan = Talker(stack, "converse-cy"), Talker(stack, "converse-dan")
    hers = await cy.rest.conversation()
    answer = (await cy.says(hers))[0]["message"]
    async with channel(stack.url) as opened:
        call = chat_pb2_grpc.ChatServiceStub(opened).Converse(metadata=bearer(dan.token))
        refused = await Stream(call).ask(1, open=hers)
        assert (refused.place, refused.error.code, refused.error.reason) == (
            1,
            grpc.StatusCode.NOT_FOUND.value[0],
            "CONVERSATION_NOT_FOUND",
        )
        call.cancel()
        async with conversing(dan, await dan.rest.conversation(), opened) as stream:
            watched = await stream.ask(2, watch=chat_pb2.WatchMessageRequest(name=answer))
            said = await stream.ask(3, send=chat_pb2.SendMessageRequest(parent=hers, text="Hello?"))
            assert (watched.HasField("error"), said.HasField("error")) == (True, True)
    assert len(await cy.messages(hers)) == 2


async def test_a_stranger_opens_no_stream(stack: Stack) -> None:
    async with channel(stack.url) as opened:
        call = chat_pb2_grpc.ChatServiceStub(opened).Converse()
        assert await call.code() is grpc.StatusCode.UNAUTHENTICATED


def _impatient(directory: Path) -> Path:
    """The contract with every idle timeout a sixtieth of what it is."""
    contract = descriptor_pb2.FileDescriptorSet.FromString(descriptor_set_path().read_bytes())
    for file in contract.file:
        for service in file.service:
            for method in service.method:
                policy: policy_pb2.RpcPolicy = method.options.Extensions[POLICY]
                if policy.HasField("idle_timeout"):
                    policy.idle_timeout.seconds //= SHORTER
    written = directory / "impatient.binpb"
    written.write_bytes(contract.SerializeToString())
    return written


@pytest.fixture
async def impatient(tmp_path: Path) -> AsyncIterator[Stack]:
    """A stack whose edge ends streams early that nobody says anything on."""
    async with running(tmp_path / "stack", environment={"SCENEMESH_DESCRIPTORS": str(_impatient(tmp_path))}) as stack:
        yield stack


async def test_who_says_nothing_for_long_is_still_listened_to(impatient: Stack) -> None:
    eve = Talker(impatient, "converse-eve")
    quiet, other = await eve.rest.conversation(), await eve.rest.conversation()
    await impatient.provider.script({"answer": ["Well,", " …"], "stall_after": 1})
    async with channel(impatient.url) as opened, conversing(eve, quiet, opened) as stream:
        request = chat_pb2.SendMessageRequest(parent=other, text="Who are you?", request_id=str(uuid4()))
        async with asyncio.timeout(WAIT_SECONDS):
            # On a busy machine it may end before anybody was asked.
            while not impatient.provider.fake.requests:
                silent = chat_pb2_grpc.ChatServiceStub(opened).SendMessage(request, metadata=bearer(eve.token))
                # Ends for its silence, which began after that of the conversation.
                assert await silent.code() is not grpc.StatusCode.OK
        async with asyncio.timeout(WAIT_SECONDS):
            assert (await stream.call.read()).HasField("heartbeat")
        heard = await stream.ask_for("finished", 2, send=chat_pb2.SendMessageRequest(text="Still there?"))
        assert {one.place for one in heard} == {2}
