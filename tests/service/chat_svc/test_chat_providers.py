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
from services.chat_svc.domain.conversation import FinishReason, Role, Usage
from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.model import (
    Model,
    ModelBroke,
    ModelFault,
    ModelRefused,
    ModelUnavailable,
    RequestRejected,
)
from services.chat_svc.domain.prompt import Prompt, Turn
from services.chat_svc.providers import Provider
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import MODEL, FakeProvider

ROOT = Path(__file__).resolve().parents[3]
PROMPT = Prompt("You are Sherlock.", (Turn(Role.USER, "Hi."), Turn(Role.CHARACTER, "Yes?"), Turn(Role.USER, "Well?")))


@pytest.fixture(params=["claude", "gpt"])
async def provider(request: pytest.FixtureRequest, claude: Model, gpt: Model) -> AsyncIterator[Provider]:
    model = {"claude": claude, "gpt": gpt}[request.param]
    async with providers.opened([(model, "sk-secret")]) as (opened,):
        yield opened


async def _said(provider: Provider) -> list[str | Completed]:
    return [word async for word in provider.answer(PROMPT)]


async def _hear(provider: Provider, heard: list[str | Completed]) -> None:
    async for word in provider.answer(PROMPT):
        heard.append(word)  # noqa: PERF401 (what came before a fault counts too)


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


@pytest.mark.parametrize(
    ("behaviour", "said", "fault"),
    [
        (Behaviour(status=400), [], RequestRejected),
        (Behaviour(status=401), [], ModelUnavailable),
        (Behaviour(status=429, retry_after_seconds=9), [], ModelUnavailable),
        (Behaviour(status=500), [], ModelUnavailable),
        (Behaviour(status=529), [], ModelUnavailable),
        (Behaviour(answer=["a", "b"], error_after=1), ["a"], ModelBroke),
        (Behaviour(answer=["a", "b"], malformed_after=1), ["a"], ModelBroke),
        (Behaviour(answer=["a", "b"], refuse_after=1), ["a"], ModelRefused),
    ],
)
async def test_every_fault_has_its_kind(
    provider: Provider, fake: FakeProvider, behaviour: Behaviour, said: list[str], fault: type[ModelFault]
) -> None:
    fake.script(behaviour)
    heard: list[str | Completed] = []
    with pytest.raises(ModelFault) as caught:
        await _hear(provider, heard)
    assert (type(caught.value), heard) == (fault, said)
    assert "sk-secret" not in str(caught.value)
    assert len(fake.requests) == 1, "the SDK retried"


async def test_a_stream_that_is_cut_never_completes(provider: Provider, fake: FakeProvider) -> None:
    fake.script(Behaviour(answer=["a", "b"], cut_after=2))
    assert await _said(provider) == ["a", "b"]


async def test_nobody_there_is_an_unavailable_model(claude: Model, gpt: Model) -> None:
    for model in (claude, gpt):
        nowhere = Model(model.id, model.wire, "x", "http://127.0.0.1:1/v1", 8_000, 500, 10)
        async with providers.opened([(nowhere, "")]) as (provider,):
            with pytest.raises(ModelUnavailable):
                await _said(provider)


async def test_a_server_of_ones_own_says_which_model_it_has(gpt: Model, fake: FakeProvider) -> None:
    async with providers.opened([(gpt, "")]) as (provider,):
        await _said(provider)
    assert fake.requests[0].body["model"] == MODEL


async def test_the_sdks_read_the_fake_as_they_read_the_real_one(fake: FakeProvider) -> None:
    """The SDKs' own accumulating readers are stricter than ours: they must find the same protocol."""
    fake.script(Behaviour(answer=["Elem", "entary"]), Behaviour(answer=["Elem", "entary"]))
    async with (
        anthropic.AsyncAnthropic(api_key="k", base_url=fake.url, max_retries=0) as client,
        client.messages.stream(
            model="m", max_tokens=9, messages=[{"role": "user", "content": [{"type": "text", "text": "Hi."}]}]
        ) as stream,
    ):
        message = await stream.get_final_message()
    assert [block.text for block in message.content if block.type == "text"] == ["Elementary"]
    assert (message.stop_reason, message.usage.output_tokens) == ("end_turn", 34)
    async with (
        openai.AsyncOpenAI(api_key="k", base_url=f"{fake.url}/v1", max_retries=0) as compatible,
        compatible.chat.completions.stream(model="m", messages=[{"role": "user", "content": "Hi."}]) as chunks,
    ):
        completion = await chunks.get_final_completion()
    assert completion.choices[0].message.content == "Elementary"
    assert completion.choices[0].finish_reason == "stop"


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
            ]
            asked = [await _posted(session, "/v1/messages", body) for _ in range(2)]
            async with session.get("/requests") as response:
                heard = await response.json()
    finally:
        process.terminate()
        await process.communicate()
    assert (told, asked) == ([200, 200, 400], [200, 529])
    assert heard == {"count": 2, "requests": [{"path": "/v1/messages", "body": body}] * 2}


async def _posted(session: aiohttp.ClientSession, path: str, told: Any) -> int:
    async with session.post(path, json=told) as response:
        await response.read()
        return response.status
