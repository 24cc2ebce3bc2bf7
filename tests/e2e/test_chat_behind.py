"""What goes on behind an answer, through the edge: portraits, summaries, titles, a second model, another list of them.

One stack for all, with two models: the cheap one answers unless it is slow, and is asked behind the scenes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tests.e2e.clients import Json, kind, said
from tests.e2e.lore import Lore, lore
from tests.e2e.stack import Stack, running
from tests.e2e.talker import Talker
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider, Request, provider
from tests.fakes.wires import instructions

HOLMES, GANDALF = "characters/sherlock-holmes", "characters/gandalf"
CHEAP, DEAR = "cheap", "dear"
# So much that nobody asks it first, however fast it is.
PRICE_USD = 1_000
# Of what a prompt for the dear model has room for, about a fifth.
LONG = "word " * 400
WAIT_SECONDS, POLL_SECONDS = 90, 0.05


@dataclass(frozen=True)
class Stage:
    """The stack, its file of models, who is behind each of them, and the web."""

    stack: Stack
    file: Path
    cheap: FakeProvider
    dear: FakeProvider
    web: Lore

    def models(self, price_usd: int = PRICE_USD) -> str:
        """What the file says, with another price for the dear model's words."""
        return _models(self.cheap, self.dear, price_usd)

    def writes(self, models: str) -> None:
        """Has the file say something else, all at once: half of it would be another fault."""
        written = self.file.with_suffix(".new")
        written.write_text(models)
        written.replace(self.file)

    async def conversation(self, talker: Talker, character: str = HOLMES) -> str:
        """One that has a name, and so wants no title."""
        return str((await talker.do("conversations", character=character, display_name="Named"))["name"])

    async def says(self, talker: Talker, conversation: str, text: str = "Who are you?") -> Request:
        """A turn with the dear model, and what it was told."""
        events = await talker.says(conversation, text, choice={"model": DEAR})
        assert kind(events[-1]) == "finished", events[-1]
        return self.dear.requests[-1]


def _models(cheap: FakeProvider, dear: FakeProvider, price_usd: int = PRICE_USD) -> str:
    hedging = "[hedging]\nafter_times = 1\nbudget_percent = 100\n"
    return hedging + _entry(CHEAP, cheap, 16_000, 0) + _entry(DEAR, dear, 3_000, price_usd)


def _entry(name: str, fake: FakeProvider, context_tokens: int, price_usd: int) -> str:
    return f"""
        [[model]]
        id = "{name}"
        model = "{name}"
        wire = "openai"
        key_variable = "OPENAI_API_KEY"
        base_url = "{fake.url}/v1"
        class = "standard"
        context_tokens = {context_tokens}
        output_tokens_max = 500
        first_word_seconds = 50
        idle_seconds = 50
        prices = {{ input = {price_usd}, cached = {price_usd}, output = {price_usd} }}
        tokens_per_turn = 1_000
    """


@pytest.fixture(scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    directory = tmp_path_factory.mktemp("behind")
    file, state = directory / "models.toml", directory / "stack"
    async with provider() as cheap, provider() as dear, lore() as web:
        file.write_text(_models(cheap, dear))
        async with running(state, environment={"SCENEMESH_MODELS": str(file), **web.environment}) as stack:
            yield Stage(stack, file, cheap, dear, web)


async def eventually(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while not await true():
            await asyncio.sleep(POLL_SECONDS)


def _texts(request: Request) -> list[str]:
    return [str(message["content"]) for message in request.body["messages"][1:]]


async def test_what_the_web_knows_of_a_character_is_told_to_the_model_and_asked_for_once(stage: Stage) -> None:
    stage.web.overviews["Sherlock"] = "A detective solves crimes\nin London."
    stage.web.extracts["Sherlock_Holmes"] = "Holmes is the hero of Sherlock."
    talkers = (Talker(stage.stack, f"portrait-{number}") for number in count(1))

    async def told_next() -> str:
        talker = next(talkers)
        return instructions((await stage.says(talker, await stage.conversation(talker))).body)

    async def portrayed() -> bool:
        return "A detective" in await told_next()

    # A turn waits for a portrait for a second only.
    await eventually(portrayed)
    told = [await told_next() for _ in range(2)]
    assert "waste of time. A detective solves crimes in London. Holmes is the hero of Sherlock." in told[0]
    assert told[0] == told[1]
    assert stage.web.asked == [("tmdb", "Sherlock"), ("wikipedia", "Sherlock_Holmes")]


async def test_a_character_answers_where_the_web_is_broken(stage: Stage) -> None:
    before, cid = len(stage.web.asked), Talker(stage.stack, "portrait-cid")
    stage.web.extracts["Gandalf"] = "Gandalf is in The Lord of the Rings: The Fellowship of the Ring."
    stage.web.broken = True

    async def asked() -> bool:
        return len(stage.web.asked) > before

    try:
        conversation = await stage.conversation(cid, GANDALF)
        broken = instructions((await stage.says(cid, conversation)).body)
        await eventually(asked)
    finally:
        stage.web.broken = False
    assert "lets others find their own courage." in broken
    # What failed is left alone for a while.
    assert instructions((await stage.says(cid, conversation)).body) == broken
    assert len(stage.web.asked) == before + 1
    assert await cid.remaining("chat") == 3


async def test_older_turns_are_summarised_by_the_cheap_model_while_nobody_waits(stage: Stage) -> None:
    dan, asked = Talker(stage.stack, "summary-dan"), len(stage.cheap.asides)
    conversation = await stage.conversation(dan)
    stage.dear.otherwise = Behaviour(answer=["Yes."])
    talked = asyncio.Event()
    stage.cheap.aside = Behaviour(answer=["They met:\n", "well."], gate=talked)

    async def summary() -> str:
        return str((await dan.ask(conversation))["summary"])

    async def summarised() -> bool:
        return await summary() != ""

    try:
        for turn in range(4):
            await stage.says(dan, conversation, f"{turn}: {LONG}")
            assert await summary() == ""
        talked.set()
        await eventually(summarised)
    finally:
        stage.cheap.aside = Behaviour(answer=())
    assert await summary() == "They met: well."
    # One that had to wait for too long on a busy machine was given up, and asked for again.
    *_, aside = stage.cheap.asides[asked:]
    told = _texts(await stage.says(dan, conversation, "And now?"))
    (retold,) = _texts(aside)
    assert retold.startswith("<transcript>\nThe person: 0: word")
    assert "<summary>They met: well.</summary>" in told[0]
    kept = [turn for turn in range(4) if any(f"{turn}: word" in text for text in told)]
    assert kept == [turn for turn in range(4) if f"{turn}: word" not in retold] != []
    assert await dan.remaining("chat") == 0


async def test_a_conversation_is_named_after_what_was_said_in_it(stage: Stage) -> None:
    eva, asked = Talker(stage.stack, "title-eva"), len(stage.cheap.asides)
    conversation = await eva.rest.conversation()
    assert (await eva.ask(conversation))["display_name"] == "Sherlock Holmes"
    stage.dear.script(Behaviour(answer=["It howls."]))
    stage.cheap.script_asides(Behaviour(answer=['Title: "The Hound of the Moor"']))
    await stage.says(eva, conversation, "What of the hound?")

    async def named() -> bool:
        (listed,) = (await eva.ask("conversations"))["conversations"]
        return str(listed["display_name"]) == "The Hound of the Moor"

    await eventually(named)
    (aside,) = stage.cheap.asides[asked:]
    assert _texts(aside) == ["<transcript>\nThe person: What of the hound?\nSherlock Holmes: It howls.\n</transcript>"]
    assert await eva.remaining("chat") == 4


async def test_a_slow_model_gets_company_and_the_person_pays_once(stage: Stage) -> None:
    fay = Talker(stage.stack, "hedge-fay")
    conversation = await stage.conversation(fay)
    before = len(stage.cheap.requests), len(stage.dear.requests)
    stage.cheap.script(Behaviour(answer=["Late."], first_word_ms=60_000))
    stage.dear.script(Behaviour(answer=["Here ", "I am."], usage=(20, 4)))
    events = await fay.says(conversation)
    finished = events[-1]["finished"]
    receipt = finished["receipt"]
    assert (events[0]["started"]["model"], said(events), finished["message"]["model"]) == (DEAR, "Here I am.", DEAR)
    assert [(one["model"], one["fault"], "usage" in one) for one in receipt["attempts"]] == [
        (CHEAP, "FAULT_OUTRUN", False),
        (DEAR, "FAULT_UNSPECIFIED", True),
    ]
    assert (receipt["charged"], receipt["cost_usd"]) == ("1", pytest.approx(24 * PRICE_USD / 1_000_000))
    assert (len(stage.cheap.requests) - before[0], len(stage.dear.requests) - before[1]) == (1, 1)
    meter = await fay.rest.settled()
    assert (meter["used"], meter["remaining"]) == ("1", "4")

    async def closed() -> bool:
        return stage.cheap.open_streams == 0

    await eventually(closed)


async def test_another_list_of_models_counts_at_once_and_a_broken_one_does_not(stage: Stage) -> None:
    gil = Talker(stage.stack, "reload-gil")

    async def price_usd() -> float:
        models: list[Json] = (await gil.ask("models"))["models"]
        return next(float(one["output_usd"]) for one in models if one["id"] == DEAR)

    async def changed() -> bool:
        return await price_usd() == 25

    async def refused() -> bool:
        return _logged(stage.stack, "models not reloaded") != []

    assert await price_usd() == PRICE_USD
    try:
        stage.writes(stage.models(price_usd=25))
        await eventually(changed)
        stage.writes(stage.models(price_usd=30).replace('"standard"', '"nonsense"', 1))
        await eventually(refused)
        (fault,) = {str(one["fault"]) for one in _logged(stage.stack, "models not reloaded")}
        assert fault.startswith(f"models.toml: model.{CHEAP}.class: ")
        assert await price_usd() == 25
        assert kind((await gil.says(await stage.conversation(gil)))[-1]) == "finished"
    finally:
        stage.writes(stage.models())


def _logged(stack: Stack, event: str) -> list[Json]:
    """What the service's own log has of a kind of event."""
    return [one for one in stack.logged("chat") if one["event"] == event]
