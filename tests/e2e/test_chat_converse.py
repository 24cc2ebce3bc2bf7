"""One stream for a whole conversation, through the edge: over gRPC, both ways, however long nobody says anything."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

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
        """What comes of a request, up to the first event or response of a kind."""
        heard = [await self.ask(place, **request)]
        while kind not in (heard[-1].WhichOneof("response"), heard[-1].event.WhichOneof("event")):
            heard.append(await self.hear())
        return heard


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
        request = chat_pb2.SendMessageRequest(parent=other, text="Who are you?")
        async with asyncio.timeout(WAIT_SECONDS):
            # On a busy machine it may end before anybody was asked.
            while not impatient.provider.fake.requests:
                silent = chat_pb2_grpc.ChatServiceStub(opened).SendMessage(request, metadata=bearer(eve.token))
                # Ends for its silence, which began after that of the conversation.
                assert await silent.code() is not grpc.StatusCode.OK
        heard = await stream.ask_for("finished", 2, send=chat_pb2.SendMessageRequest(text="Still there?"))
        assert {one.place for one in heard} == {2}
