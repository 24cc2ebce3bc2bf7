"""What is said is more than a model holds: nobody is asked who cannot answer, and the person learns what to do."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace

import grpc
import pytest

from runtime.status import error_info
from scenemesh.chat.v1 import archive_pb2, archive_pb2_grpc, chat_pb2
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc.answering import handing_over
from services.chat_svc.domain.model import Capability, Class, Model
from services.chat_svc.store import answers
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.groups import SHERLOCK, WATSON, gathered, round_of, speakers
from tests.service.chat_svc.pictures import owner, picture, showing
from tests.service.chat_svc.replica import (
    CALL_SECONDS,
    CHARACTER,
    Events,
    Person,
    Replica,
    Surroundings,
    events_of,
    replica,
)
from tests.service.chat_svc.shape import failed, failure, kinds
from tests.service.chat_svc.siblings import FakeQuota
from tests.service.chat_svc.told import titled

# A token each: more than 7,500, which the models here have room for, and more than 1,500.
LONGEST, LONG = "😀" * 8_000, "😀" * 2_000
TOO_LONG = (grpc.StatusCode.FAILED_PRECONDITION, "PROMPT_TOO_LONG")
SHORTER = "What you said is too long for the models that can answer: say it shorter."
REASON = chat_pb2.FAILURE_REASON_PROMPT_TOO_LONG
RELEASED, SETTLED = quota_pb2.HOLD_STATE_RELEASED, quota_pb2.HOLD_STATE_SETTLED


def small(model: Model) -> Model:
    """The same, with room for so little that a long message is too much."""
    return replace(model, context_tokens=2_000)


@pytest.fixture
async def narrow(around: Surroundings, claude: Model) -> AsyncIterator[Replica]:
    """A process that has no larger model."""
    async with replica(around, [small(claude)]) as narrow:
        yield narrow


async def refused(turn: AsyncGenerator[chat_pb2.ChatEvent, None]) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        _ = [event async for event in turn]
    return caught.value


def why(error: grpc.aio.AioRpcError) -> tuple[grpc.StatusCode, str]:
    return error.code(), error_info(error).reason


async def sent(person: Person, parent: str, text: str, model: str = "") -> Events:
    choice = chat_pb2.ModelChoice(model=model)
    request = chat_pb2.SendMessageRequest(parent=parent, text=text, choice=choice, explain=True)
    call = person.stub.SendMessage(request, metadata=person.metadata, timeout=CALL_SECONDS)
    return [event async for event in events_of(call)]


async def test_what_is_too_long_for_every_model_is_refused_and_nothing_is_kept(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    conversation = await titled(alice)
    error = await refused(alice.sending(conversation, LONGEST))
    assert (why(error), error.details()) == (TOO_LONG, SHORTER)
    told = error_info(error).metadata
    assert (int(told["prompt_tokens"]) > 8_000, told["prompt_tokens_max"]) == (True, "7500")
    assert (fake.requests, await alice.messages(conversation), quota.states()) == ([], [], [RELEASED])
    assert kinds(await alice.turn(conversation, LONG))[-1] == "finished"


async def test_only_who_holds_it_is_asked(around: Surroundings, claude: Model, gpt: Model, fake: FakeProvider) -> None:
    async with replica(around, [small(claude), gpt]) as first:
        alice = first.person()
        conversation = await titled(alice)
        events = await sent(alice, conversation, LONG, "claude")
        assert (await sent(alice, conversation, "Short.", "claude"))[0].started.model == "claude"
    asked, passed_over = events[0].started.decision.candidates
    assert (asked.model, passed_over.model) == (events[0].started.model, "claude") == ("gpt", "claude")
    assert (asked.skipped, passed_over.skipped) == (
        chat_pb2.SKIP_REASON_UNSPECIFIED,
        chat_pb2.SKIP_REASON_CONTEXT,
    )


async def test_where_a_premium_model_holds_it_the_person_is_told(
    around: Surroundings, claude: Model, gpt: Model, quota: FakeQuota
) -> None:
    quota.others["chat_premium"] = 1
    async with replica(around, [small(claude), replace(gpt, model_class=Class.PREMIUM)]) as first:
        alice = first.person()
        conversation = await titled(alice)
        error = await refused(alice.sending(conversation, LONG))
        assert kinds(await sent(alice, conversation, LONG, "gpt"))[-1] == "finished"
    assert (why(error), error.details()) == (TOO_LONG, f"{SHORTER[:-1]}, or choose a premium model.")


async def test_where_the_larger_one_merely_rests_it_is_worth_another_try(
    around: Surroundings, claude: Model, gpt: Model, fake: FakeProvider
) -> None:
    async with replica(around, [small(claude), gpt]) as first:
        alice = first.person()
        conversation = await titled(alice)
        fake.script(Behaviour(status=429, retry_after_seconds=3_000))
        unavailable = failed(chat_pb2.FAILURE_REASON_MODEL_UNAVAILABLE, 0, "")
        assert failure(await alice.turn(conversation, LONG)) == unavailable
        error = await refused(alice.sending(conversation, LONG))
    assert why(error) == (grpc.StatusCode.UNAVAILABLE, "MODEL_UNAVAILABLE")


async def test_of_those_that_see_none_may_hold_it(
    around: Surroundings, claude: Model, gpt: Model, quota: FakeQuota
) -> None:
    seeing = replace(small(claude), capabilities=frozenset({Capability.VISION}))
    async with replica(around, [seeing, gpt]) as first:
        alice = first.person()
        conversation, media = await titled(alice), (await owner(first).keep(picture())).name
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await showing(alice, conversation, [media], LONG)
    assert (why(caught.value), quota.states()) == (TOO_LONG, [RELEASED])
    assert quota.others["image_recognition"] == 10


async def test_another_answer_and_other_words_are_refused_as_well(
    alice: Person, narrow: Replica, quota: FakeQuota
) -> None:
    conversation = await titled(alice)
    for text in (LONG, "Short."):
        await alice.turn(conversation, text)
    before, person = await alice.messages(conversation), narrow.person("alice")
    again = chat_pb2.RegenerateMessageRequest(name=before[1].name)
    other = chat_pb2.RewriteMessageRequest(name=before[2].name, text=LONG)
    calls = (
        person.stub.RegenerateMessage(again, metadata=person.metadata, timeout=CALL_SECONDS),
        person.stub.RewriteMessage(other, metadata=person.metadata, timeout=CALL_SECONDS),
    )
    assert [why(await refused(events_of(call))) for call in calls] == [TOO_LONG] * 2
    assert (await alice.messages(conversation), quota.states()[2:]) == (before, [RELEASED] * 2)


async def test_a_round_ends_where_the_next_one_cannot_be_told_what_was_said(
    narrow: Replica, fake: FakeProvider, quota: FakeQuota
) -> None:
    alice = narrow.person()
    conversation = await gathered(alice, cast=[SHERLOCK, WATSON], display_name="Baker Street")
    fake.script(Behaviour(answer=[LONG]))
    assert speakers(await round_of(alice, conversation)) == [SHERLOCK]
    assert (len(fake.requests), quota.states()) == (1, [SETTLED, RELEASED])


async def test_an_answer_that_is_handed_over_to_smaller_models_keeps_what_was_said(
    around: Surroundings, claude: Model, fake: FakeProvider, quota: FakeQuota, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handing_over, "TAKEN_SECONDS_MAX", 20.0)
    monkeypatch.setattr(answers, "OFFER_SECONDS", 30.0)
    fake.script(Behaviour(answer=["Elem", "x"], stall_after=1))
    async with replica(around, [small(claude)]) as staying:
        async with replica(around, [claude]) as ending:
            alice = ending.person()
            stream = alice.sending(await titled(alice), LONG)
            begun = [await anext(stream) for _ in range(2)]
            await stream.aclose()
        rest = await staying.person().watched(begun[0].message, after=2)
        assert failure([*begun, *rest]) == failed(chat_pb2.FAILURE_REASON_INTERRUPTED, 1, "Elem")
    assert (len(fake.requests), quota.states()) == (1, [SETTLED])


async def test_what_the_provider_finds_too_long_is_told_everywhere(
    alice: Person, second: Replica, fake: FakeProvider
) -> None:
    conversation = await titled(alice)
    fake.script(Behaviour(error="context_too_long"))
    events = await alice.turn(conversation)
    told = events[-1].failed
    assert (told.reason, told.description) == (
        REASON,
        "Your message is too long for the models that can answer. Please say it shorter.",
    )
    assert [one.fault for one in told.receipt.attempts] == [chat_pb2.FAULT_CONTEXT_TOO_LONG]
    assert await second.person().watched(told.message.name) == events
    assert (await alice.messages(conversation))[1].failure_reason == REASON
    assert kinds(await alice.turn(conversation, "Shorter."))[-1] == "finished"


async def test_a_failure_for_that_reason_goes_out_and_comes_in(first: Replica, fake: FakeProvider) -> None:
    alice = first.person()
    conversation = await titled(alice)
    fake.script(Behaviour(error="context_too_long"))
    await alice.turn(conversation)
    stub = archive_pb2_grpc.ArchiveServiceStub(first.dial("edge"))
    export = archive_pb2.ExportConversationRequest(name=conversation)
    written = (await stub.ExportConversation(export, metadata=alice.metadata)).data
    assert (json.loads(written)["messages"][1]["failure"], json.loads(written)["character"]) == (
        "prompt_too_long",
        CHARACTER,
    )
    bring = archive_pb2.ImportConversationsRequest(format=archive_pb2.IMPORT_FORMAT_JSON, content=written)
    (taken,) = (await stub.ImportConversations(bring, metadata=alice.metadata)).conversations
    assert [one.failure_reason for one in await alice.messages(taken.name)] == [0, REASON]
