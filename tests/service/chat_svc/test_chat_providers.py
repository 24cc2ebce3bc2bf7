"""The real SDKs against the fake provider: what our providers make of each thing that it can do, on both wires."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import anthropic
import openai
import pytest

from services.chat_svc import providers
from services.chat_svc.domain.conversation import Role
from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.fault import NotLetIn, Unreachable
from services.chat_svc.domain.model import Limits, Model, Wire
from services.chat_svc.domain.outcome import FinishReason, Usage
from services.chat_svc.domain.prompt import Prompt, Turn
from services.chat_svc.providers import Provider, events
from services.chat_svc.providers import openai as openai_wire
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import MODEL, FakeProvider
from tests.service.chat_svc.replica import WAIT_SECONDS

ROOT = Path(__file__).resolve().parents[3]
PROMPT = Prompt("You are Sherlock.", (Turn(Role.USER, "Hi."), Turn(Role.CHARACTER, "Yes?"), Turn(Role.USER, "Well?")))
LONG = Prompt("You are Sherlock. " * 300, PROMPT.turns)


@pytest.fixture(params=["claude", "gpt"])
async def provider(request: pytest.FixtureRequest, claude: Model, gpt: Model) -> AsyncIterator[Provider]:
    model = {"claude": claude, "gpt": gpt}[request.param]
    async with providers.opened([(model, "sk-secret")]) as (opened,):
        yield opened


async def _said(provider: Provider, prompt: Prompt = PROMPT, prefix: str = "") -> list[str | Completed]:
    return [word async for word in provider.answer(prompt, prefix)]


async def test_an_answer_comes_in_pieces_and_ends_with_its_usage(provider: Provider, fake: FakeProvider) -> None:
    fake.script(Behaviour(answer=["Elem", "", "entary"], usage=(21, 5)))
    assert await _said(provider) == ["Elem", "entary", Completed(FinishReason.STOP, Usage(21, 5))]


async def test_an_echo_has_eight_pieces_and_names_what_was_said(provider: Provider, fake: FakeProvider) -> None:
    *pieces, ending = await _said(provider)
    assert len(pieces) == 8
    assert "Well?" in "".join(str(piece) for piece in pieces)
    assert isinstance(ending, Completed)


async def test_the_wire_carries_the_whole_prompt(provider: Provider, fake: FakeProvider) -> None:
    await _said(provider)
    body = fake.requests[0].body
    turns = [("user", "Hi."), ("assistant", "Yes?"), ("user", "Well?")]
    system = [] if "system" in body else [("system", "You are Sherlock.")]
    assert [(message["role"], message["content"]) for message in body["messages"]] == system + turns
    assert body.get("system", "You are Sherlock.") == "You are Sherlock."
    assert (body["max_tokens"], body["stream"]) == (500, True)


async def test_tokens_from_the_providers_cache_are_counted_apart(provider: Provider, fake: FakeProvider) -> None:
    fake.script(Behaviour(answer=["Yes."], usage=(2100, 5), cached_tokens=2048))
    assert await _said(provider) == ["Yes.", Completed(FinishReason.STOP, Usage(2100, 5, cached_tokens=2048))]


async def test_an_answer_whose_provider_reports_no_usage_has_none(provider: Provider, fake: FakeProvider) -> None:
    fake.script(Behaviour(answer=["Yes."], usage=None))
    assert await _said(provider) == ["Yes.", Completed(FinishReason.STOP)]


async def test_usage_may_come_together_with_the_reason(provider: Provider, fake: FakeProvider) -> None:
    fake.script(Behaviour(answer=["Yes."], usage=(7, 5), usage_with_reason=True))
    assert await _said(provider) == ["Yes.", Completed(FinishReason.STOP, Usage(7, 5))]


async def test_what_a_model_thinks_aloud_is_no_text(provider: Provider, fake: FakeProvider) -> None:
    fake.script(Behaviour(answer=["Yes."], reasoning=["Does he", " know?"], keep_alive=True))
    assert await _said(provider) == ["Yes.", Completed(FinishReason.STOP, Usage(12, 34))]


@pytest.mark.parametrize(
    ("wire", "stop", "reason"),
    [
        (Wire.ANTHROPIC, "stop_sequence", FinishReason.STOP),
        (Wire.ANTHROPIC, "max_tokens", FinishReason.LENGTH),
        (Wire.ANTHROPIC, "model_context_window_exceeded", FinishReason.LENGTH),
        (Wire.OPENAI, "tool_calls", FinishReason.STOP),
        (Wire.OPENAI, "length", FinishReason.LENGTH),
    ],
)
async def test_an_answer_that_came_to_its_limit_says_so(
    claude: Model, gpt: Model, fake: FakeProvider, wire: Wire, stop: str, reason: FinishReason
) -> None:
    fake.script(Behaviour(answer=["Yes."], stop=stop))
    async with providers.opened([(claude if wire is Wire.ANTHROPIC else gpt, "")]) as (provider,):
        assert await _said(provider) == ["Yes.", Completed(reason, Usage(12, 34))]


async def test_an_answer_of_no_words_is_an_answer(provider: Provider, fake: FakeProvider) -> None:
    fake.script(Behaviour(answer=[]))
    assert await _said(provider) == [Completed(FinishReason.STOP, Usage(12, 34))]


async def test_nobody_there_is_an_unreachable_model(claude: Model, gpt: Model) -> None:
    for model in (claude, gpt):
        nowhere = Model(model.id, model.wire, "x", "http://127.0.0.1:1/v1", 8_000, 500, Limits(10, 20))
        async with providers.opened([(nowhere, "")]) as (provider,):
            with pytest.raises(Unreachable):
                await _said(provider)


async def test_a_server_that_lists_no_model_lets_nobody_in(gpt: Model, fake: FakeProvider) -> None:
    fake.models = ()
    async with providers.opened([(gpt, "")]) as (provider,):
        with pytest.raises(NotLetIn):
            await _said(provider)


async def test_whoever_stops_listening_closes_the_stream(provider: Provider, fake: FakeProvider) -> None:
    fake.script(Behaviour(answer=["a", "b"], stall_after=1))
    words = provider.answer(PROMPT)
    assert await anext(words) == "a"
    await words.aclose()
    async with asyncio.timeout(WAIT_SECONDS):
        while fake.open_streams:
            await asyncio.sleep(0.01)


async def test_answers_that_follow_one_another_share_a_connection(
    provider: Provider, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "DRAIN_SECONDS_MAX", 60.0)
    fake.otherwise = Behaviour(end_ms=20)
    for _ in range(3):
        await _said(provider)
    assert len(fake.peers) == 1


async def test_a_response_that_stays_open_after_its_last_event_is_waited_for_no_longer_than_a_moment(
    provider: Provider, fake: FakeProvider
) -> None:
    fake.script(Behaviour(answer=["Yes."], held=True))
    assert await _said(provider) == ["Yes.", Completed(FinishReason.STOP, Usage(12, 34))]


async def test_a_stream_that_stays_open_after_its_reason_is_waited_for_no_longer_than_its_usage(
    gpt: Model, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai_wire, "USAGE_SECONDS_MAX", 0.05)
    fake.script(Behaviour(answer=["Yes."], usage=None, unmarked=True, held=True))
    async with providers.opened([(gpt, "")]) as (provider,):
        assert await _said(provider) == ["Yes.", Completed(FinishReason.STOP)]


async def test_a_model_that_goes_on_gets_the_beginning_as_the_last_turn(provider: Provider, fake: FakeProvider) -> None:
    await _said(provider, prefix="Elementary, my")
    body = fake.requests[0].body
    assert body["messages"][-2:] == [
        {"role": "user", "content": "Well?"},
        {"role": "assistant", "content": "Elementary, my"},
    ]
    template = {name: body[name] for name in ("continue_final_message", "add_generation_prompt") if name in body}
    anthropics = provider.model.wire is Wire.ANTHROPIC
    assert template == ({} if anthropics else {"continue_final_message": True, "add_generation_prompt": False})


async def test_no_template_is_left_open_where_nothing_is_to_go_on(provider: Provider, fake: FakeProvider) -> None:
    await _said(provider)
    assert not {"continue_final_message", "add_generation_prompt"} & fake.requests[0].body.keys()


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("https://api.openai.com/v1", True),
        ("https://eu.api.openai.com/v1", True),
        ("https://openrouter.ai/api/v1", False),
        ("https://api.openai.com.example/v1", False),
        ("http://127.0.0.1:8000/v1", False),
    ],
)
def test_openai_is_known_by_its_address(url: str, own: bool) -> None:
    assert openai_wire.is_openai(url) == own


async def test_what_a_long_prompt_shares_with_the_next_is_marked_for_the_cache(
    claude: Model, fake: FakeProvider
) -> None:
    async with providers.opened([(claude, "")]) as (provider,):
        await _said(provider, LONG)
    mark = {"type": "ephemeral"}
    assert fake.requests[0].body["system"] == [{"type": "text", "text": LONG.system, "cache_control": mark}]
    assert fake.requests[0].body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Hi.", "cache_control": mark}]},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": "Well?"},
    ]


async def test_of_a_long_first_prompt_only_the_system_part_is_marked(claude: Model, fake: FakeProvider) -> None:
    async with providers.opened([(claude, "")]) as (provider,):
        await _said(provider, Prompt(LONG.system, (Turn(Role.USER, "Hi."),)))
    body = fake.requests[0].body
    assert [block["cache_control"] for block in body["system"]] == [{"type": "ephemeral"}]
    assert body["messages"] == [{"role": "user", "content": "Hi."}]


async def test_a_server_of_ones_own_says_which_model_it_has(gpt: Model, fake: FakeProvider) -> None:
    async with providers.opened([(gpt, "")]) as (provider,):
        await _said(provider)
    assert fake.requests[0].body["model"] == MODEL


async def test_the_sdks_read_the_fake_as_they_read_the_real_one(fake: FakeProvider) -> None:
    """The SDKs' own accumulating readers are stricter than ours: they must find the same protocol."""
    behaviour = Behaviour(answer=["Elem", "entary"], reasoning=["Hm."], keep_alive=True, cached_tokens=5)
    fake.script(behaviour, behaviour)
    async with (
        anthropic.AsyncAnthropic(api_key="k", base_url=fake.url, max_retries=0) as client,
        client.messages.stream(
            model="m", max_tokens=9, messages=[{"role": "user", "content": [{"type": "text", "text": "Hi."}]}]
        ) as stream,
    ):
        message = await stream.get_final_message()
    assert [block.text for block in message.content if block.type == "text"] == ["Elementary"]
    told = message.usage
    assert (message.stop_reason, told.input_tokens, told.cache_read_input_tokens) == ("end_turn", 7, 5)
    assert told.output_tokens == 34
    async with (
        openai.AsyncOpenAI(api_key="k", base_url=f"{fake.url}/v1", max_retries=0) as compatible,
        compatible.chat.completions.stream(
            model="m", messages=[{"role": "user", "content": "Hi."}], stream_options={"include_usage": True}
        ) as chunks,
    ):
        completion = await chunks.get_final_completion()
    assert completion.choices[0].message.content == "Elementary"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.prompt_tokens_details is not None
    counts = (completion.usage.prompt_tokens, completion.usage.prompt_tokens_details.cached_tokens)
    assert counts == (12, 5)


async def test_another_process_can_script_it_and_ask_what_it_heard() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.fakes.provider", "--port", "0"),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    try:
        async with aiohttp.ClientSession(url) as session:
            body = {"model": "m", "messages": [{"role": "user", "content": "Hi."}]}
            told = [
                await _posted(session, "/script", {"answer": ["one"], "delay_ms": 1}),
                await _posted(session, "/script", [{"status": 529}]),
                await _posted(session, "/script", {"nonsense": 1}),
                await _posted(session, "/script", {"error": "nonsense"}),
            ]
            async with session.put("/otherwise", json={"status": 503}) as response:
                told.append(response.status)
            asked = [await _posted(session, "/v1/messages", body) for _ in range(3)]
            async with session.get("/requests") as response:
                heard = await response.json()
    finally:
        process.terminate()
        await process.communicate()
    assert (told, asked) == ([200, 200, 400, 400, 200], [200, 529, 503])
    assert heard == {"count": 3, "requests": [{"path": "/v1/messages", "body": body}] * 3}


async def _posted(session: aiohttp.ClientSession, path: str, told: Any) -> int:
    async with session.post(path, json=told) as response:
        await response.read()
        return response.status
