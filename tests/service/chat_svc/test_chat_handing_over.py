"""A process that ends leaves its answers to another one, which goes on with them."""

import asyncio
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc.answering import handing_over
from services.chat_svc.domain.conversation import Message
from services.chat_svc.domain.handover import Handover
from services.chat_svc.domain.model import Capability, Model
from services.chat_svc.store import answers
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.harness import engines
from tests.service.chat_svc.groups import LIST, gathered, said_to
from tests.service.chat_svc.replica import Events, Surroundings, eventually, replica
from tests.service.chat_svc.shape import failed, failure, kinds, numbers, said
from tests.service.chat_svc.siblings import FakeQuota

CONTINUED, REPLACED = chat_pb2.SEAM_MODE_CONTINUED, chat_pb2.SEAM_MODE_REPLACED
INTERRUPTED = chat_pb2.FAILURE_REASON_INTERRUPTED


@pytest.fixture
def awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ends waits long until another one takes its answers."""
    monkeypatch.setattr(handing_over, "TAKEN_SECONDS_MAX", 20.0)
    monkeypatch.setattr(answers, "OFFER_SECONDS", 30.0)


def going_on(model: Model) -> Model:
    return replace(model, capabilities=frozenset({Capability.PREFILL}))


async def cut_off(around: Surroundings, model: Model, count: int) -> Events:
    """The first events of an answer, as many as somebody saw before the process that made it ended."""
    async with replica(around, [model]) as ending:
        alice = ending.person()
        stream = alice.sending(await alice.conversation())
        async with aclosing(stream):
            return [await anext(stream) for _ in range(count)]


def seams(events: Events) -> list[tuple[str, str, int, int]]:
    """From whom, to whom, how, and what stayed."""
    found = [event.seam for event in events if event.HasField("seam")]
    return [(one.from_model, one.to_model, one.mode, one.kept_characters) for one in found]


@pytest.mark.usefixtures("awaited")
async def test_another_process_goes_on_where_the_text_broke_off(
    around: Surroundings, claude: Model, fake: FakeProvider, quota: FakeQuota
) -> None:
    fake.script(Behaviour(answer=["Elem", "ent", "x"], stall_after=2), Behaviour(answer=["ary", "."]))
    async with replica(around, [going_on(claude)]) as staying:
        begun = await cut_off(around, going_on(claude), 3)
        rest = await staying.person().watched(begun[0].message, after=3)
        events = begun + rest
        assert numbers(events) == list(range(1, 8))
        assert kinds(events) == ["started", "delta", "delta", "seam", "delta", "delta", "finished"]
        assert seams(events) == [("claude", "claude", CONTINUED, 7)]
        assert said(events) == events[-1].finished.message.text == "Elementary."
        receipt = events[-1].finished.receipt
        assert ([one.model for one in receipt.attempts], receipt.charged) == (["claude", "claude"], 1)
        assert all(one.first_word_seconds > 0 for one in receipt.attempts)
        assert await staying.person().watched(begun[0].message) == events
    first, second = fake.requests
    assert second.body["messages"] == [*first.body["messages"], {"role": "assistant", "content": "Element"}]
    assert (second.body["system"], quota.states()) == (first.body["system"], [quota_pb2.HOLD_STATE_SETTLED])


@pytest.mark.usefixtures("awaited")
async def test_whoever_watches_from_afar_sees_no_end_but_the_last(
    around: Surroundings, claude: Model, fake: FakeProvider
) -> None:
    fake.script(Behaviour(answer=["Elem", "x"], stall_after=1), Behaviour(answer=["entary", "."]))
    async with replica(around, [going_on(claude)]) as staying, replica(around, [going_on(claude)]) as ending:
        here, there = ending.person(), staying.person()
        stream = here.sending(await here.conversation())
        started = await anext(stream)
        afar = asyncio.create_task(there.watched(started.message))
        await anext(stream)
        await stream.aclose()
        await ending.end()
        events = await afar
        assert (kinds(events)[-1], numbers(events)) == ("finished", list(range(1, 7)))
        assert said(events) == "Elementary."


@pytest.mark.usefixtures("awaited")
async def test_a_model_that_cannot_go_on_begins_anew(around: Surroundings, claude: Model, fake: FakeProvider) -> None:
    fake.script(Behaviour(answer=["Elem", "x"], stall_after=1), Behaviour(answer=["Nothing ", "else."]))
    async with replica(around, [claude]) as staying:
        begun = await cut_off(around, claude, 2)
        events = begun + await staying.person().watched(begun[0].message, after=2)
        assert seams(events) == [("claude", "claude", REPLACED, 0)]
        assert said(events) == events[-1].finished.message.text == "Nothing else."


@pytest.mark.usefixtures("awaited")
async def test_an_answer_that_has_no_word_yet_begins_elsewhere_without_a_seam(
    around: Surroundings, claude: Model, fake: FakeProvider
) -> None:
    fake.script(Behaviour(silent=True), Behaviour(answer=["Here."]))
    async with replica(around, [claude]) as staying:
        async with replica(around, [claude]) as ending:
            alice = ending.person()
            conversation = await alice.conversation()
            turn = asyncio.create_task(alice.turn(conversation))
            await eventually(lambda: len(fake.requests) == 1)
            _, answer = await alice.messages(conversation)
        await asyncio.wait([turn])
        events = await staying.person().watched(answer.name)
        assert (kinds(events), said(events)) == (["started", "delta", "finished"], "Here.")


@pytest.mark.usefixtures("awaited")
async def test_what_is_held_pays_for_both_parts(
    around: Surroundings, claude: Model, fake: FakeProvider, quota: FakeQuota
) -> None:
    model = replace(going_on(claude), tokens_per_turn=10)
    quota.left = 2
    fake.script(Behaviour(answer=["12345678"] * 7, stall_after=6), Behaviour(answer=["12345678"] * 20, delay_ms=5))
    async with replica(around, [model]) as staying:
        begun = await cut_off(around, model, 7)
        events = begun + await staying.person().watched(begun[0].message, after=7)
        finished = events[-1].finished
        assert (finished.reason, finished.receipt.charged) == (chat_pb2.FINISH_REASON_QUOTA, 2)
        assert said(events) == finished.message.text == "12345678" * 10
    assert (quota.left, quota.states()) == (0, [quota_pb2.HOLD_STATE_SETTLED])


@pytest.mark.usefixtures("awaited")
async def test_an_answer_of_a_round_costs_no_more_than_is_left_of_it(
    around: Surroundings, claude: Model, fake: FakeProvider, quota: FakeQuota
) -> None:
    model = replace(going_on(claude), tokens_per_turn=10)
    quota.left = 9
    fake.script(Behaviour(answer=["12345678"] * 7, stall_after=6), Behaviour(answer=["12345678"] * 20, delay_ms=5))
    async with replica(around, [model]) as staying:
        async with replica(around, [model]) as ending:
            alice = ending.person()
            stream = said_to(alice, await gathered(alice, chat_pb2.Group(turn_order=LIST, credits_max=2)))
            async with aclosing(stream):
                started, *_ = [await anext(stream) for _ in range(7)]
        finished = (await staying.person().watched(started.message))[-1].finished
        assert (finished.reason, finished.receipt.charged) == (chat_pb2.FINISH_REASON_QUOTA, 2)
    assert (quota.left, quota.states()) == (7, [quota_pb2.HOLD_STATE_SETTLED])


@pytest.mark.usefixtures("awaited")
async def test_of_many_answers_each_goes_on_in_one_process(
    around: Surroundings, claude: Model, fake: FakeProvider, quota: FakeQuota
) -> None:
    quota.left, model = 30, going_on(claude)
    fake.script(*[Behaviour(answer=["a", "x"], stall_after=1)] * 12)
    fake.otherwise = Behaviour(answer=["b"])
    async with AsyncExitStack() as stack:
        staying = [await stack.enter_async_context(replica(around, [model])) for _ in range(2)]
        async with replica(around, [model]) as ending:
            alice = ending.person()
            streams = [alice.sending(await alice.conversation()) for _ in range(12)]
            begun = [[await anext(stream) for _ in range(2)] for stream in streams]
            for stream in streams:
                await stream.aclose()
        watched = [await staying[0].person().watched(events[0].message, after=2) for events in begun]
    assert [(kinds(events), said(events)) for events in watched] == [(["seam", "delta", "finished"], "b")] * 12
    assert (quota.states(), len(quota.settled), len(fake.requests)) == ([quota_pb2.HOLD_STATE_SETTLED] * 12, 12, 24)


@pytest.mark.usefixtures("awaited")
async def test_who_has_heard_of_an_answer_may_be_slow_to_take_it(
    around: Surroundings, claude: Model, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handing_over, "UNHEARD_SECONDS_MAX", 0.5)
    fake.script(Behaviour(answer=["Elem", "x"], stall_after=1), Behaviour(answer=["entary", "."]))
    async with replica(around, [going_on(claude)]) as staying, replica(around, [going_on(claude)]) as ending:
        theirs, ours = staying.parts.going_on._answers, ending.generations._answers
        take, looks, waited = theirs.take_offered, ours.is_offered, asyncio.Event()
        now = asyncio.get_running_loop().time
        first: list[float] = []

        async def taking_late() -> list[tuple[Message, Handover]]:
            await waited.wait()
            return await take()

        async def looking(answer: Message) -> bool:
            first.append(now())
            if now() > first[0] + handing_over.UNHEARD_SECONDS_MAX:
                waited.set()
            return await looks(answer)

        monkeypatch.setattr(theirs, "take_offered", taking_late)
        monkeypatch.setattr(ours, "is_offered", looking)
        stream = ending.person().sending(await ending.person().conversation())
        async with aclosing(stream):
            started = await anext(stream)
            await anext(stream)
        await ending.end()
        events = await staying.person().watched(started.message)
    assert (kinds(events)[-1], said(events)) == ("finished", "Elementary.")


async def test_where_there_is_no_other_process_an_answer_ends_as_interrupted(
    around: Surroundings, claude: Model, fake: FakeProvider, quota: FakeQuota
) -> None:
    fake.script(Behaviour(answer=["a", "b"], stall_after=1))
    begun = await cut_off(around, claude, 2)
    assert quota.states() == [quota_pb2.HOLD_STATE_SETTLED]
    async with replica(around, [claude]) as later:
        events = await later.person().watched(begun[0].message)
        assert (events[:2], failure(events)) == (begun, failed(INTERRUPTED, 1, "a"))


@pytest.mark.usefixtures("awaited")
async def test_what_redis_does_not_have_is_left_to_others_all_the_same(
    around: Surroundings, claude: Model, fake: FakeProvider, tmp_path: Path
) -> None:
    fake.script(Behaviour(answer=["a", "b", "c"], delay_ms=500, stall_after=2), Behaviour(answer=["c"]))
    async with AsyncExitStack() as stack:
        redis_url = await stack.enter_async_context(engines.valkey(tmp_path))
        here = replace(around, redis_url=redis_url)
        async with replica(here, [going_on(claude)]) as staying, replica(here, [going_on(claude)]) as ending:
            alice = ending.person()
            stream = alice.sending(await alice.conversation())
            begun = [await anext(stream) for _ in range(2)]
            await stack.aclose()
            begun.append(await anext(stream))
            await stream.aclose()
            await ending.end()
            events = await staying.person().watched(begun[0].message)
            assert (events[:3], kinds(events)[3:], said(events)) == (begun, ["seam", "delta", "finished"], "abc")
