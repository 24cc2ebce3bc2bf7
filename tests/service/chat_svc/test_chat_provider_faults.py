"""What our providers make of each way in which a model fails, on both wires, with the real SDKs in between."""

import asyncio
import ssl
from collections.abc import AsyncIterator

import pytest

from services.chat_svc import providers
from services.chat_svc.domain.conversation import Role
from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.fault import (
    ContextTooLong,
    Cut,
    Malformed,
    ModelFault,
    NotLetIn,
    Overloaded,
    PrefillRejected,
    RateLimited,
    Refused,
    Rejected,
    ServerFailed,
    Stalled,
    Unreachable,
)
from services.chat_svc.domain.model import Model
from services.chat_svc.domain.outcome import FinishReason, Usage
from services.chat_svc.domain.prompt import Prompt, Turn
from services.chat_svc.providers import Provider
from services.chat_svc.providers import anthropic as anthropic_wire
from services.chat_svc.providers import openai as openai_wire
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider

PROMPT = Prompt("You are Sherlock.", (Turn(Role.USER, "Well?"),))
SAID = ("a", "b")


@pytest.fixture(params=["claude", "gpt"])
async def provider(request: pytest.FixtureRequest, claude: Model, gpt: Model) -> AsyncIterator[Provider]:
    model = {"claude": claude, "gpt": gpt}[request.param]
    async with providers.opened([(model, "sk-secret")]) as (opened,):
        yield opened


async def _fault(provider: Provider, prefix: str = "") -> tuple[list[str | Completed], ModelFault]:
    """What was said before the fault, and the fault."""
    heard: list[str | Completed] = []
    with pytest.raises(ModelFault) as caught:
        await _hear(provider, prefix, heard)
    return heard, caught.value


async def _hear(provider: Provider, prefix: str, heard: list[str | Completed]) -> None:
    async for word in provider.answer(PROMPT, prefix):
        heard.append(word)  # noqa: PERF401 (what came before a fault counts too)


@pytest.mark.parametrize(
    ("behaviour", "fault"),
    [
        (Behaviour(status=400), Rejected),
        (Behaviour(status=401), NotLetIn),
        (Behaviour(status=402), NotLetIn),
        (Behaviour(status=403), NotLetIn),
        (Behaviour(status=404), NotLetIn),
        (Behaviour(status=405), NotLetIn),
        (Behaviour(status=408), ServerFailed),
        (Behaviour(status=409), ServerFailed),
        (Behaviour(status=413), ContextTooLong),
        (Behaviour(status=422), Rejected),
        (Behaviour(status=429), RateLimited),
        (Behaviour(status=500), ServerFailed),
        (Behaviour(status=502), ServerFailed),
        (Behaviour(status=503), Overloaded),
        (Behaviour(status=504), ServerFailed),
        (Behaviour(status=529), Overloaded),
        (Behaviour(error="billing"), NotLetIn),
        (Behaviour(error="content_filter"), Refused),
        (Behaviour(error="context_too_long"), ContextTooLong),
        (Behaviour(error="forbidden"), NotLetIn),
        (Behaviour(error="model"), NotLetIn),
        (Behaviour(error="money"), NotLetIn),
        (Behaviour(error="overloaded"), Overloaded),
        (Behaviour(error="rate"), RateLimited),
        (Behaviour(error="request"), Rejected),
        (Behaviour(error="too_large"), ContextTooLong),
        (Behaviour(reset=True), Unreachable),
    ],
)
async def test_a_request_that_gets_no_stream_has_its_fault(
    provider: Provider, fake: FakeProvider, behaviour: Behaviour, fault: type[ModelFault]
) -> None:
    fake.script(behaviour)
    heard, caught = await _fault(provider)
    assert (heard, type(caught), caught.retry_after_seconds) == ([], fault, None)
    assert "sk-secret" not in str(caught)
    assert len(fake.requests) == 1, "the SDK retried"


@pytest.mark.parametrize(
    ("behaviour", "fault"),
    [
        (Behaviour(answer=SAID, cut_after=1), Cut),
        (Behaviour(answer=SAID, reset_after=1), Cut),
        (Behaviour(answer=SAID, malformed_after=1), Malformed),
        (Behaviour(answer=SAID, refuse_after=1), Refused),
        (Behaviour(answer=SAID, error_after=1), Overloaded),
        (Behaviour(answer=SAID, error_after=1, error="rate"), RateLimited),
        (Behaviour(answer=SAID, error_after=1, error="context_too_long"), ContextTooLong),
        (Behaviour(answer=SAID, error_after=1, error="request"), Rejected),
    ],
)
async def test_a_stream_that_breaks_has_its_fault_after_what_was_said(
    provider: Provider, fake: FakeProvider, behaviour: Behaviour, fault: type[ModelFault]
) -> None:
    fake.script(behaviour)
    heard, caught = await _fault(provider)
    assert (heard, type(caught)) == (["a"], fault)
    assert len(fake.requests) == 1, "the SDK retried"


async def test_a_stream_that_is_cut_before_its_first_word_is_a_cut_too(provider: Provider, fake: FakeProvider) -> None:
    fake.script(Behaviour(answer=SAID, cut_after=0), Behaviour(answer=SAID, reset_after=0))
    assert [type((await _fault(provider))[1]) for _ in range(2)] == [Cut, Cut]


async def test_a_stream_without_an_end_mark_is_whole_only_where_the_reason_is_one(
    claude: Model, gpt: Model, fake: FakeProvider
) -> None:
    fake.script(Behaviour(answer=SAID, unmarked=True), Behaviour(answer=SAID, unmarked=True))
    async with providers.opened([(claude, ""), (gpt, "")]) as (first, second):
        heard, caught = await _fault(first)
        assert (heard, type(caught)) == (["a", "b"], Cut)
        answer = [word async for word in second.answer(PROMPT)]
    assert answer == ["a", "b", Completed(FinishReason.STOP, Usage(12, 34))]


async def test_a_connection_that_fails_below_http_is_a_cut(
    provider: Provider, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> AsyncIterator[str]:
        yield "a"
        raise ssl.SSLError("bad record mac")

    for wire in (anthropic_wire, openai_wire):
        monkeypatch.setattr(wire, "pieces", broken)
    heard, caught = await _fault(provider)
    assert (heard, type(caught)) == (["a"], Cut)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "9"}, 9.0),
        ({"retry-after": "0.5", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "Sat, 21 Nov 2026 15:00:30 GMT", "date": "Sat, 21 Nov 2026 15:00:00 GMT"}, 30.0),
        ({"retry-after": "soon"}, None),
    ],
)
@pytest.mark.parametrize("status", [429, 503, 529])
async def test_a_provider_says_how_long_to_wait(
    provider: Provider, fake: FakeProvider, status: int, headers: dict[str, str], seconds: float | None
) -> None:
    fake.script(Behaviour(status=status, headers=headers))
    assert (await _fault(provider))[1].retry_after_seconds == seconds


async def test_a_model_that_will_not_go_on_with_anothers_answer_is_told_from_one_that_rejects(
    provider: Provider, fake: FakeProvider
) -> None:
    fake.otherwise = Behaviour(answer=SAID, prefill=False)
    heard, caught = await _fault(provider, prefix="Elementary, my")
    assert (heard, type(caught)) == ([], PrefillRejected)
    assert [word async for word in provider.answer(PROMPT)][:2] == ["a", "b"]


async def test_a_prompt_that_is_too_long_is_so_with_a_prefix_too(provider: Provider, fake: FakeProvider) -> None:
    fake.script(Behaviour(error="context_too_long"))
    assert type((await _fault(provider, prefix="Elementary, my"))[1]) is ContextTooLong


@pytest.mark.parametrize(
    ("behaviour", "said", "fault"),
    [(Behaviour(silent=True), [], Unreachable), (Behaviour(answer=SAID, stall_after=1), ["a"], Stalled)],
)
async def test_the_sdks_own_limit_on_silence_ends_what_nobody_else_ends(
    claude: Model,
    gpt: Model,
    fake: FakeProvider,
    monkeypatch: pytest.MonkeyPatch,
    behaviour: Behaviour,
    said: list[str],
    fault: type[ModelFault],
) -> None:
    # What is said comes before, on however busy a machine.
    for wire in (anthropic_wire, openai_wire):
        monkeypatch.setattr(wire, "READ_SECONDS", 5.0 if said else 0.2)
    fake.script(behaviour, behaviour)
    async with providers.opened([(claude, ""), (gpt, "")]) as opened:
        faults = await asyncio.gather(*(_fault(provider) for provider in opened))
    assert [(heard, type(caught)) for heard, caught in faults] == [(said, fault)] * 2


async def test_a_reason_that_is_none_is_a_fault(provider: Provider, fake: FakeProvider) -> None:
    fake.script(*[Behaviour(answer=SAID, stop=stop) for stop in ("abort", "SAFETY", "error")])
    ends = [await _fault(provider) for _ in range(3)]
    assert [(heard, type(caught)) for heard, caught in ends] == [
        (["a", "b"], fault) for fault in (Cut, Refused, ServerFailed)
    ]
