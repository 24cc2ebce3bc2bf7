"""Turns where the only model rests."""

from contextlib import aclosing
from typing import Any, cast

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from grpc_status import rpc_status

from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.groups import reason
from tests.service.chat_svc.replica import Person, Replica
from tests.service.chat_svc.shape import failed, failure
from tests.service.chat_svc.siblings import FakeQuota
from tests.service.chat_svc.told import titled

FAILED = failed(chat_pb2.FAILURE_REASON_MODEL_UNAVAILABLE, 0, "")
RESTS = (grpc.StatusCode.UNAVAILABLE, "MODEL_UNAVAILABLE")


async def refused(person: Person, conversation: str) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await person.turn(conversation)
    return caught.value


def wait_seconds(error: grpc.aio.AioRpcError) -> int:
    """How long the caller is told to wait."""
    retry = RetryInfo()
    status = rpc_status.from_call(cast("Any", error))
    assert any(packed.Unpack(retry) for packed in status.details)
    return int(retry.retry_delay.seconds)


async def test_a_model_that_asked_for_a_pause_is_left_alone_and_the_person_is_told_for_how_long(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    conversation = await titled(alice)
    fake.script(Behaviour(status=429, retry_after_seconds=3_000))
    assert failure(await alice.turn(conversation)) == FAILED
    error = await refused(alice, conversation)
    assert (reason(error), 2_000 < wait_seconds(error) <= 3_000) == (RESTS, True)
    assert (len(fake.requests), quota.states()) == (1, [quota_pb2.HOLD_STATE_RELEASED] * 2)
    assert len(await alice.messages(conversation)) == 2


async def test_of_those_who_need_a_model_that_rests_one_at_a_time_asks_it(
    alice: Person, first: Replica, fake: FakeProvider
) -> None:
    conversation, bob = await titled(alice), first.person("bob")
    others = await titled(bob)
    fake.script(Behaviour(status=401), Behaviour(answer=["Elem", "entary"], stall_after=1), Behaviour(answer=["Yes."]))
    assert failure(await alice.turn(conversation)) == FAILED
    async with aclosing(alice.sending(conversation)) as stream:
        started = await anext(stream)
        assert reason(await refused(bob, others)) == RESTS
        await alice.stub.StopMessage(chat_pb2.StopMessageRequest(name=started.message), metadata=alice.metadata)
    assert (await bob.turn(others))[-1].finished.message.text == "Yes."
