"""What a caller gets wrong, or may not do: a typed error each, and nothing half-written."""

from collections.abc import Awaitable
from typing import Any, cast
from uuid import uuid4

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.replica import CALL_SECONDS, Person, Replica
from tests.service.chat_svc.shape import failed, failure, kinds
from tests.service.chat_svc.siblings import FakeQuota

NOT_FOUND = grpc.StatusCode.NOT_FOUND


async def refusal(call: Awaitable[Any]) -> tuple[grpc.StatusCode, str, str]:
    """The code, the reason and the words that a call is refused with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    info = error_details_pb2.ErrorInfo()
    status = rpc_status.from_call(cast("Any", caught.value))
    assert any(packed.Unpack(info) for packed in status.details)
    return caught.value.code(), info.reason, str(caught.value.details())


async def sent(person: Person, parent: str, text: str = "Who are you?", model: str = "") -> list[chat_pb2.ChatEvent]:
    choice = chat_pb2.ModelChoice(model=model)
    request = chat_pb2.SendMessageRequest(parent=parent, text=text, choice=choice)
    return [event async for event in person.stub.SendMessage(request, metadata=person.metadata, timeout=CALL_SECONDS)]


def estimated(person: Person, parent: str, model: str = "") -> Awaitable[chat_pb2.TurnEstimate]:
    request = chat_pb2.EstimateTurnRequest(parent=parent, text="Who?", choice=chat_pb2.ModelChoice(model=model))
    return person.stub.EstimateTurn(request, metadata=person.metadata)


def stopped(person: Person, message: str) -> Awaitable[chat_pb2.Message]:
    return person.stub.StopMessage(chat_pb2.StopMessageRequest(name=message), metadata=person.metadata)


async def test_a_model_that_there_is_not_is_named_before_anything_is_held(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    conversation = await alice.conversation()
    missing = (NOT_FOUND, "MODEL_NOT_FOUND", "There is no such model.")
    assert await refusal(sent(alice, conversation, model="gpt-0")) == missing
    assert await refusal(estimated(alice, conversation, model="gpt-0")) == missing
    assert (quota.holds, fake.requests, await alice.messages(conversation)) == ({}, [], [])
    assert kinds(await sent(alice, conversation, model="claude"))[-1] == "finished"


async def test_a_prompt_that_no_model_holds_fails_and_costs_nothing(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    conversation = await alice.conversation()
    fake.script(Behaviour(error="context_too_long"))
    events = await alice.turn(conversation, "😀" * 7_000)
    assert failure(events) == failed(chat_pb2.FAILURE_REASON_PROMPT_TOO_LONG, 0, "")
    assert quota.states() == [quota_pb2.HOLD_STATE_RELEASED]
    assert kinds(await alice.turn(conversation, "Shorter."))[-1] == "finished"


async def test_what_belongs_to_another_looks_as_if_it_did_not_exist(
    alice: Person, first: Replica, fake: FakeProvider, quota: FakeQuota
) -> None:
    bob = first.person("bob")
    conversation, nowhere = await alice.conversation(), f"conversations/{uuid4()}"
    fake.script(Behaviour(answer=["Elem", "entary"], stall_after=1))
    stream = alice.sending(conversation)
    started, _ = [await anext(stream) for _ in range(2)]
    missing = f"{nowhere}/messages/{uuid4()}"
    pairs: dict[str, tuple[Awaitable[Any], Awaitable[Any]]] = {
        "stop": (stopped(bob, started.message), stopped(bob, missing)),
        "watch": (bob.watched(started.message), bob.watched(missing)),
        "estimate": (estimated(bob, conversation), estimated(bob, nowhere)),
        "send": (sent(bob, conversation), sent(bob, nowhere)),
        "messages": (bob.messages(conversation), bob.messages(nowhere)),
    }
    refusals = {name: (await refusal(theirs), await refusal(nobodys)) for name, (theirs, nobodys) in pairs.items()}
    assert {name: theirs[0] for name, (theirs, _) in refusals.items()} == dict.fromkeys(pairs, NOT_FOUND)
    assert {name: theirs for name, (theirs, _) in refusals.items()} == {
        name: nobodys for name, (_, nobodys) in refusals.items()
    }
    assert (fake.open_streams, len(quota.holds)) == (1, 1), "the answer goes on, and nobody else's turn was held"
    await stream.aclose()
