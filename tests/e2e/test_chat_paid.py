"""What a plan pays for, through the edge: which models answer, what is told before, what is charged after, and what the
other services hear of it.

One stack for all, with a small model for everybody and a grand one for whoever pays; its turns are short.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.local import valkey
from cli.local.state import State
from runtime.events.envelope import ENVELOPE, opened, stream
from runtime.redis import connect
from scenemesh.events.v1 import chat_pb2
from tests.e2e.appstore import AUTHORIZATION, Purchase, body
from tests.e2e.buyer import Buyer, until
from tests.e2e.clients import JSON_TYPE, Json, kind, requested, said
from tests.e2e.samples import noise, recording
from tests.e2e.stack import Stack, running
from tests.e2e.talker import Talker
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider, provider

SMALL, GRAND = "small", "grand"
TOKENS_PER_TURN = 100
LONG = "word " * 4


@dataclass(frozen=True)
class Shop:
    """The stack, and who is behind its models."""

    stack: Stack
    small: FakeProvider
    grand: FakeProvider

    async def buys(self, user: str) -> None:
        """A user's plan is one that pays for premium turns, from now on."""
        headers = {**JSON_TYPE, "authorization": AUTHORIZATION}
        sent = body(Purchase(user).initial_purchase())
        async with requested("POST", f"{self.stack.url}/v1/webhooks/revenuecat", sent, headers) as response:
            assert response.status == 200
        await until(Buyer(self.stack, user).allowed, "creator")


def _entry(name: str, fake: FakeProvider, model_class: str) -> str:
    return f"""
        [[model]]
        id = "{name}"
        model = "{name}"
        wire = "openai"
        key_variable = "OPENAI_API_KEY"
        base_url = "{fake.url}/v1"
        class = "{model_class}"
        context_tokens = 16_000
        output_tokens_max = 2_000
        first_word_seconds = 40
        idle_seconds = 40
        tokens_per_turn = {TOKENS_PER_TURN}
    """


@pytest.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    directory: Path = tmp_path_factory.mktemp("shop")
    file, state = directory / "models.toml", directory / "stack"
    async with provider() as small, provider() as grand:
        # A turn's worth.
        small.otherwise = grand.otherwise = Behaviour(usage=(12, TOKENS_PER_TURN))
        file.write_text(_entry(SMALL, small, "standard") + _entry(GRAND, grand, "premium"))
        async with running(state, environment={"SCENEMESH_MODELS": str(file)}) as stack:
            yield Shop(stack, small, grand)


async def _estimate(talker: Talker, conversation: str, **more: Any) -> Json:
    return await talker.do(f"{conversation}:estimateTurn", text="Who are you?", **more)


async def test_an_answer_ends_well_where_the_credit_does_and_what_was_said_stays(shop: Shop) -> None:
    ada = Talker(shop.stack, "paid-ada")
    conversation = await ada.rest.conversation()
    shop.small.script(Behaviour(answer=[LONG] * 200))
    events = await ada.says(conversation)
    finished = events[-1]["finished"]
    assert finished["reason"] == "FINISH_REASON_QUOTA"
    message, receipt = finished["message"], finished["receipt"]
    assert message["text"] == said(events)
    assert 0 < len(message["text"]) < 200 * len(LONG)
    assert (receipt["meter"], receipt["charged"], receipt["remaining"]) == ("chat", "5", "0")
    kept = (await ada.messages(conversation))[-1]
    assert (kept["text"], kept["state"]) == (message["text"], "MESSAGE_STATE_COMPLETE")
    meter = await ada.rest.settled()
    assert (meter["used"], meter["held"], meter["remaining"]) == ("5", "0", "0")


async def test_what_a_turn_costs_is_known_before_and_is_what_the_receipt_says(shop: Shop) -> None:
    ben = Talker(shop.stack, "paid-ben")
    conversation = await ben.rest.conversation()
    told = await _estimate(ben, conversation)
    assert (told["meter"], told["model"], told["affordable"]) == ("chat", SMALL, True)
    shop.small.script(Behaviour(answer=["one ", "two "], usage=(50, 2 * TOKENS_PER_TURN)))
    receipt = (await ben.says(conversation))[-1]["finished"]["receipt"]
    assert (receipt["meter"], receipt["charged"]) == ("chat", "2")
    assert 1 <= int(receipt["charged"]) <= int(told["maximum"])
    assert (await ben.rest.settled())["used"] == "2"


async def test_who_pays_may_ask_the_grand_model_and_who_does_not_gets_the_small_one(shop: Shop) -> None:
    cy = Talker(shop.stack, "paid-cy")
    wish: Json = {"choice": {"model": GRAND}, "explain": True}
    conversation = await cy.rest.conversation()
    assert await _entitled(cy) == {SMALL: True, GRAND: False}
    assert await _meter(cy, conversation) == "chat"
    events = await cy.says(conversation, **wish)
    assert _asked(events) == (SMALL, {SMALL: "SKIP_REASON_UNSPECIFIED", GRAND: "SKIP_REASON_CLASS"})
    await shop.buys("paid-cy")
    # What is remembered of the plan is forgotten by itself, as soon as it is another.
    await until(lambda: _entitled(cy), {SMALL: True, GRAND: True})
    await until(lambda: _meter(cy, conversation), "chat_premium")
    events = await cy.says(conversation, **wish)
    everybody = {SMALL: "SKIP_REASON_UNSPECIFIED", GRAND: "SKIP_REASON_UNSPECIFIED"}
    assert _asked(events) == (GRAND, everybody)
    assert events[-1]["finished"]["receipt"]["meter"] == "chat_premium"
    # Whoever asks for nothing in particular spends no premium turn.
    assert _asked(await cy.says(conversation, explain=True))[0] == SMALL
    assert (await cy.rest.settled("chat_premium"))["used"] == "1"


async def test_why_a_model_answers_is_told_wherever_an_answer_is_asked_for_and_again(shop: Shop) -> None:
    dan, wish = Talker(shop.stack, "paid-dan"), {"explain": True}
    conversation = await dan.rest.conversation()
    path, request = f"{conversation}/messages:send", {"text": "Who are you?"}
    for _ in range(2):
        log = await dan.stream(path, **request, **wish)
        assert _asked(log)[0] == SMALL
        assert await dan.watched(log[0]["message"]) == log
        path, request = f"{log[0]['message']}:regenerate", {}
    assert "decision" not in (await dan.says(conversation))[0]["started"]


async def test_the_other_services_hear_of_what_was_opened_answered_and_failed(shop: Shop) -> None:
    eve = Talker(shop.stack, "paid-eve")
    conversation = await eve.rest.conversation()
    good = (await eve.says(conversation))[-1]["finished"]["message"]
    shop.small.script(Behaviour(status=400))
    bad = (await eve.says(conversation))[-1]
    assert kind(bad) == "failed"
    heard = {
        "conversation.created": [conversation],
        "message.completed": [good["name"]],
        "message.failed": [bad["message"]],
    }
    await until(lambda: _heard(shop.stack, "users/paid-eve"), heard)


async def test_what_no_configured_model_can_do_is_refused_and_costs_nothing(shop: Shop) -> None:
    fay = Talker(shop.stack, "paid-fay")
    conversation = await fay.rest.conversation()
    answer = (await fay.says(conversation))[0]["message"]
    before = len(shop.small.requests), await fay.rest.settled()
    image, sound = [
        (await fay.do("media", content=base64.b64encode(content).decode()))["name"]
        for content in (noise(8), recording(seconds=1))
    ]
    for path, request, reason in (
        (f"{conversation}/messages:send", {"text": "Look!", "media": [image]}, "NO_MODEL_FOR_IMAGES"),
        (f"{conversation}:estimateTurn", {"text": "Look!", "images": 1}, "NO_MODEL_FOR_IMAGES"),
        (f"{sound}:transcribe", {}, "NO_MODEL_FOR_TRANSCRIPTION"),
        (f"{answer}:speak", {}, "NO_MODEL_FOR_SPEECH"),
    ):
        assert await fay.refused("POST", path, request) == (400, reason)
    assert (len(shop.small.requests), await fay.rest.settled()) == before
    assert len(await fay.messages(conversation)) == 2


async def _entitled(talker: Talker) -> dict[str, bool]:
    return {one["id"]: one["entitled"] for one in (await talker.ask("models"))["models"]}


async def _meter(talker: Talker, conversation: str) -> str:
    """What would pay for a turn with the grand model."""
    return str((await _estimate(talker, conversation, choice={"model": GRAND}))["meter"])


def _asked(events: list[Json]) -> tuple[str, dict[str, str]]:
    """Which model answers, and why each of the others is not asked."""
    started = events[0]["started"]
    return started["model"], {one["model"]: one["skipped"] for one in started["decision"]["candidates"]}


async def _heard(stack: Stack, subject: str) -> dict[str, list[str]]:
    """What was told of a user: conversations and messages, by the type of the event."""
    heard: dict[str, list[str]] = {}
    async with connect(valkey.url(State(stack.state).sockets)) as redis:
        for topic in ("conversation", "message"):
            entries: Any = await redis.xrange(stream(topic))
            for _, fields in entries:
                event = opened(fields[ENVELOPE])
                if event.subject == subject:
                    heard.setdefault(event.type, []).append(_named(event.data))
    return heard


def _named(data: Any) -> str:
    kinds = chat_pb2.ConversationCreated, chat_pb2.MessageCompleted, chat_pb2.MessageFailed
    told: Any = next(made for made in (kind() for kind in kinds) if data.Unpack(made))
    return str(told.conversation if isinstance(told, chat_pb2.ConversationCreated) else told.message)
