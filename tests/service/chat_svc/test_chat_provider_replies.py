"""Replies that no reader of HTTP or of the wire foresees: the model has failed, and the next one is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from scenemesh.chat.v1 import chat_pb2
from services.chat_svc import providers
from services.chat_svc.domain.conversation import Role
from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.fault import Malformed, ModelFault, NotLetIn, Unreachable
from services.chat_svc.domain.model import Model, Wire
from services.chat_svc.domain.prompt import Prompt, Turn
from services.chat_svc.providers import Provider
from services.chat_svc.providers import anthropic as anthropic_wire
from services.chat_svc.providers import openai as openai_wire
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.raw import CHUNKED, HEAD, Raw, choice, chunk, sending
from tests.service.chat_svc.replica import Events, Surroundings, replica
from tests.service.chat_svc.shape import kinds, said
from tests.service.chat_svc.siblings import FakeQuota

PROMPT = Prompt("You are Sherlock.", (Turn(Role.USER, "Well?"),))
NO_REPLIES = {
    "too large a header": HEAD + b"Set-Cookie: " + b"a" * 9_000 + b"\r\n\r\n",
    "no header": HEAD + b"X\x01: y\r\n\r\n",
    "no HTTP": b"220 smtp ready\r\n\r\n",
}


@pytest.fixture
async def raw() -> AsyncIterator[Raw]:
    async with sending() as raw:
        yield raw


async def failed(provider: Provider) -> tuple[list[str | Completed], ModelFault]:
    words: list[str | Completed] = []

    async def hear() -> None:
        async for word in provider.answer(PROMPT):
            words.append(word)  # noqa: PERF401 (what came before a fault counts too)

    with pytest.raises(ModelFault) as caught:
        await hear()
    return words, caught.value


@pytest.mark.parametrize("wire", [Wire.ANTHROPIC, Wire.OPENAI])
@pytest.mark.parametrize("way", NO_REPLIES)
async def test_a_reply_that_cannot_be_read_is_an_unreachable_model(raw: Raw, wire: Wire, way: str) -> None:
    raw.reply = NO_REPLIES[way]
    async with providers.opened([(raw.model(wire), "k")]) as (provider,):
        words, fault = await failed(provider)
    assert (words, type(fault), raw.asked) == ([], Unreachable, 1)


@pytest.mark.parametrize("wire", [Wire.ANTHROPIC, Wire.OPENAI])
async def test_what_nobody_foresaw_is_a_fault_of_its_model_and_is_told_once(
    claude: Model, gpt: Model, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, wire: Wire
) -> None:
    async def broken(*_: object) -> AsyncIterator[str]:
        yield "a"
        raise LookupError("sk-secret")

    monkeypatch.setattr({Wire.ANTHROPIC: anthropic_wire, Wire.OPENAI: openai_wire}[wire], "pieces", broken)
    async with providers.opened([({Wire.ANTHROPIC: claude, Wire.OPENAI: gpt}[wire], "")]) as (provider,):
        with capture_logs() as logs:
            words, fault = await failed(provider)
    assert (words, type(fault), "sk-secret" in str(fault)) == (["a"], Malformed, False)
    assert [(one["log_level"], type(one["exc_info"])) for one in logs] == [("error", LookupError)]


async def test_whoever_stops_listening_is_no_fault(claude: Model, gpt: Model, fake: FakeProvider) -> None:
    fake.otherwise = Behaviour(answer=["a", "b"], stall_after=1)
    async with providers.opened([(claude, ""), (gpt, "")]) as opened:
        with capture_logs() as logs:
            for provider in opened:
                words = provider.answer(PROMPT)
                assert await anext(words) == "a"
                await words.aclose()
    assert logs == []


async def test_a_server_that_knows_its_model_no_longer_is_asked_for_another(gpt: Model, fake: FakeProvider) -> None:
    async with providers.opened([(gpt, "")]) as (provider,):
        for names in (("before",), ("after",)):
            fake.models = names
            if names == ("after",):
                fake.script(Behaviour(error="model"))
                assert type((await failed(provider))[1]) is NotLetIn
            assert [word async for word in provider.answer(PROMPT)]
    assert [request.body["model"] for request in fake.requests] == ["before", "before", "after"]


async def test_a_server_that_is_busy_keeps_its_model(gpt: Model, fake: FakeProvider) -> None:
    async with providers.opened([(gpt, "")]) as (provider,):
        fake.script(Behaviour(), Behaviour(status=503))
        assert [word async for word in provider.answer(PROMPT)]
        fake.models = ("another",)
        await failed(provider)
        assert [word async for word in provider.answer(PROMPT)]
    assert len({request.body["model"] for request in fake.requests}) == 1


async def test_a_name_that_is_configured_is_never_forgotten(gpt: Model, fake: FakeProvider) -> None:
    async with providers.opened([(replace(gpt, provider_model="mine"), "")]) as (provider,):
        fake.script(Behaviour(error="model"))
        await failed(provider)
        assert [word async for word in provider.answer(PROMPT)]
    assert [request.body["model"] for request in fake.requests] == ["mine", "mine"]


def attempts(events: Events) -> list[tuple[str, int]]:
    return [(one.model, one.fault) for one in events[-1].finished.receipt.attempts]


async def test_where_a_reply_cannot_be_read_another_model_answers(
    around: Surroundings, raw: Raw, claude: Model, fake: FakeProvider
) -> None:
    raw.reply, fake.otherwise = NO_REPLIES["too large a header"], Behaviour(answer=["Elementary."])
    async with replica(around, [raw.model(Wire.OPENAI), claude]) as running:
        alice = running.person()
        events = await alice.turn(await alice.conversation("Tea"))
        health = running.parts.router.health("broken")
    assert (kinds(events), said(events)) == (["started", "delta", "finished"], "Elementary.")
    assert attempts(events) == [("broken", chat_pb2.FAULT_UNREACHABLE), ("claude", chat_pb2.FAULT_UNSPECIFIED)]
    assert health.failures == 1


@pytest.mark.parametrize("alone", [True, False])
async def test_an_answer_that_breaks_after_its_reason_reaches_the_person_whole_and_is_paid(
    around: Surroundings, raw: Raw, claude: Model, quota: FakeQuota, alone: bool
) -> None:
    raw.reply = CHUNKED + chunk(choice("Elementary, ") + choice("my dear.") + choice(reason="stop"))
    async with replica(around, [raw.model(Wire.OPENAI), *([] if alone else [claude])]) as running:
        alice = running.person()
        events = await alice.turn(await alice.conversation("Tea"))
    assert (kinds(events), said(events)) == (["started", "delta", "delta", "finished"], "Elementary, my dear.")
    assert attempts(events) == [("broken", chat_pb2.FAULT_UNSPECIFIED)]
    receipt = events[-1].finished.receipt
    assert (receipt.charged, receipt.usage.output_tokens, receipt.usage.estimated) == (1, 5, True)
