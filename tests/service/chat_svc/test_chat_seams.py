"""Answers that a model broke off: another one goes on, and says so."""

from dataclasses import replace

import pytest

from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc.domain.model import Capability, Limits, Model
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider, provider
from tests.service.chat_svc.replica import Events, Surroundings, replica
from tests.service.chat_svc.shape import kinds, said
from tests.service.chat_svc.siblings import FakeQuota

CONTINUED, REPLACED = chat_pb2.SEAM_MODE_CONTINUED, chat_pb2.SEAM_MODE_REPLACED
# What no model needs for a word, on however busy a machine.
IDLE_SECONDS = 5.0


def seam(events: Events) -> tuple[str, str, int, int, int]:
    """From whom, to whom, why, how, and what stayed."""
    (found,) = [event.seam for event in events if event.HasField("seam")]
    return found.from_model, found.to_model, found.fault, found.mode, found.kept_characters


def attempts(events: Events) -> list[tuple[str, int]]:
    return [(one.model, one.fault) for one in events[-1].finished.receipt.attempts]


def going_on(model: Model) -> Model:
    return replace(model, capabilities=frozenset({Capability.PREFILL}))


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (Behaviour(answer=["Elem", "ent "], cut_after=2), chat_pb2.FAULT_CUT),
        (Behaviour(answer=["Elem", "ent ", "x"], stall_after=2), chat_pb2.FAULT_STALLED),
        (Behaviour(answer=["Elem", "ent ", "x"], malformed_after=2), chat_pb2.FAULT_MALFORMED),
        (Behaviour(answer=["Elem", "ent ", "x"], error_after=2), chat_pb2.FAULT_OVERLOADED),
    ],
)
async def test_a_model_that_can_goes_on_where_the_text_broke_off(
    around: Surroundings, claude: Model, gpt: Model, fake: FakeProvider, quota: FakeQuota, broken: Behaviour, fault: int
) -> None:
    async with replica(around, [claude, going_on(gpt)], idle_seconds=IDLE_SECONDS) as running:
        alice = running.person()
        fake.script(broken, Behaviour(answer=["ary", "."]))
        events = await alice.turn(await alice.conversation())
        assert kinds(events) == ["started", "delta", "delta", "seam", "delta", "delta", "finished"]
        assert seam(events) == ("claude", "gpt", fault, CONTINUED, 7)
        assert (said(events), events[-1].finished.message.text) == ("Elementary.", "Elementary.")
        assert attempts(events) == [("claude", fault), ("gpt", chat_pb2.FAULT_UNSPECIFIED)]
        assert all(one.first_word_seconds > 0 for one in events[-1].finished.receipt.attempts)
        assert await alice.watched(events[0].message) == events
        assert quota.states() == [quota_pb2.HOLD_STATE_SETTLED]


async def test_a_model_that_cannot_begins_anew(
    around: Surroundings, claude: Model, gpt: Model, fake: FakeProvider
) -> None:
    async with replica(around, [claude, gpt]) as running:
        alice = running.person()
        fake.script(Behaviour(answer=["Elem", "x"], cut_after=1), Behaviour(answer=["Nothing ", "else."]))
        events = await alice.turn(await alice.conversation())
        assert seam(events) == ("claude", "gpt", chat_pb2.FAULT_CUT, REPLACED, 0)
        assert (said(events), events[-1].finished.message.text) == ("Nothing else.", "Nothing else.")


async def test_a_model_that_refuses_to_go_on_begins_anew(
    around: Surroundings, claude: Model, gpt: Model, fake: FakeProvider
) -> None:
    async with replica(around, [claude, going_on(gpt)]) as running:
        alice = running.person()
        cut, refusing = Behaviour(answer=["Elem", "x"], cut_after=1), Behaviour(prefill=False)
        fake.script(cut, refusing, Behaviour(answer=["Anew."]))
        events = await alice.turn(await alice.conversation())
        # Why there is a seam is how the first one broke off, whatever came between.
        assert seam(events) == ("claude", "gpt", chat_pb2.FAULT_CUT, REPLACED, 0)
        assert said(events) == "Anew."


async def test_a_model_with_nothing_to_add_makes_no_whole_of_what_was_cut(
    around: Surroundings, claude: Model, gpt: Model, fake: FakeProvider
) -> None:
    async with replica(around, [claude, going_on(gpt)]) as running:
        alice = running.person()
        fake.script(Behaviour(answer=["Elem", "x"], cut_after=1), Behaviour(answer=[]))
        events = await alice.turn(await alice.conversation())
        assert (kinds(events), said(events)) == (["started", "delta", "failed"], "Elem")


async def test_what_is_cut_again_and_again_is_never_sold_as_finished(
    around: Surroundings, claude: Model, gpt: Model, fake: FakeProvider, quota: FakeQuota
) -> None:
    async with replica(around, [claude, going_on(gpt)]) as running:
        alice = running.person()
        fake.otherwise = Behaviour(answer=["a", "b"], cut_after=1)
        events = await alice.turn(await alice.conversation())
        assert (kinds(events)[-1], events[-1].failed.reason) == ("failed", chat_pb2.FAILURE_REASON_MODEL_CUT)
        assert said(events) == events[-1].failed.message.text
        assert quota.states() == [quota_pb2.HOLD_STATE_RELEASED]


async def test_a_model_whose_first_word_is_late_gives_way(
    around: Surroundings, claude: Model, gpt: Model, fake: FakeProvider
) -> None:
    async with (
        provider() as fast,
        replica(
            around, [replace(claude, limits=Limits(0.3, IDLE_SECONDS)), replace(gpt, base_url=f"{fast.url}/v1")]
        ) as running,
    ):
        alice = running.person()
        fake.otherwise, fast.otherwise = Behaviour(silent=True), Behaviour(answer=["Here."])
        events = await alice.turn(await alice.conversation())
        assert (events[0].started.model, said(events)) == ("gpt", "Here.")
        assert attempts(events)[0] == ("claude", chat_pb2.FAULT_STALLED)


async def test_a_prompt_that_is_too_long_goes_to_a_model_that_holds_more(
    around: Surroundings, claude: Model, gpt: Model, fake: FakeProvider
) -> None:
    async with replica(around, [claude, replace(gpt, context_tokens=16_000)]) as running:
        alice = running.person()
        fake.script(Behaviour(error="context_too_long"), Behaviour(answer=["Fits."]))
        events = await alice.turn(await alice.conversation())
        assert (events[0].started.model, said(events)) == ("gpt", "Fits.")
