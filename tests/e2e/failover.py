"""A stack whose models fail as a test says, and all that can be seen of one turn on it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from tests.e2e.clients import Json, Rest
from tests.e2e.stack import Stack, running
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider, provider

WIRES = ("anthropic", "openai")
# Those that take over: one goes on where an answer broke off, and holds more than any other; one begins anew.
CONTINUES, ANEW = "continues", "anew"
# The same on the other wire each. They are so dear that they take over only where they spoke last.
CONTINUES_TOO, ANEW_TOO = "continues-too", "anew-too"
# Models that fail, of each wire. Each is for one test, so what a breaker learns of it stays there.
MODELS_MAX = 30
PATIENT_SECONDS, HASTY_SECONDS = 20, 5
# A model's longest rest; how long one that comes and goes is away, and back, and for how many turns at least.
REST_SECONDS_MAX = 120
AWAY_SECONDS, BACK_SECONDS, PHASE_TURNS = 9, 9, 4

PIECES = ["The", *(f" word{number}" for number in range(59))]
TEXT = "".join(PIECES)
CUT_AFTER = 40
BEGINNING, REST = "".join(PIECES[:CUT_AFTER]), PIECES[CUT_AFTER:]

Attempt = tuple[str, str]
Seam = tuple[str, str, str, str, int]


@dataclass(frozen=True)
class Outcome:
    """One turn: as the person sees it, as it is stored, whom it asked how often, and what the ledger has of it.

    `kinds` has a run of deltas as one. Attempts are a model and its fault, empty for none; seams are who broke off, who
    goes on, why, how, and the characters that stay.
    """

    kinds: tuple[str, ...]
    ending: str
    shown: str
    stored: str
    seams: tuple[Seam, ...]
    attempts: tuple[Attempt, ...]
    asked: Counter[str]
    receipt: int
    used: int


def finished(attempts: Sequence[Attempt], seams: Sequence[Seam] = (), text: str = TEXT) -> Outcome:
    """A turn that is whole and paid for, in which every attempt asked its model once."""
    kinds = ("started", "delta", *["seam", "delta"] * len(seams), "finished")
    return Outcome(kinds, "STOP", text, text, tuple(seams), tuple(attempts), _models(attempts), receipt=1, used=1)


def failed(reason: str, attempts: Sequence[Attempt], text: str = "") -> Outcome:
    """A turn that says that it failed, with so much text, and costs nothing."""
    kinds = ("started", "delta", "failed") if text else ("started", "failed")
    return Outcome(kinds, reason, text, text, (), tuple(attempts), _models(attempts), receipt=0, used=0)


def _models(attempts: Sequence[Attempt]) -> Counter[str]:
    return Counter(model for model, _ in attempts)


@dataclass
class Bench:
    """The stack; `broken` is behind every model that fails, `sound` behind those that take over."""

    stack: Stack
    broken: FakeProvider
    sound: FakeProvider
    _taken: Counter[str] = field(default_factory=Counter)

    def model(self, wire: str, *, hasty: bool = False) -> str:
        """A model that nobody has asked yet; a hasty one may be silent for a few seconds only."""
        kind = f"{wire}-hasty" if hasty else wire
        self._taken[kind] += 1
        assert self._taken[kind] <= MODELS_MAX, "there are no more models: raise MODELS_MAX"
        return f"{kind}-{self._taken[kind]}"

    def asked(self) -> Counter[str]:
        """How often each model was asked."""
        return Counter(str(one.body["model"]) for one in [*self.broken.requests, *self.sound.requests])

    def asked_at(self, model: str) -> list[float]:
        """When a model that fails was asked, in seconds of the loop's clock."""
        return [one.at for one in self.broken.requests if one.body["model"] == model]

    async def person(self, user: str) -> Person:
        """Somebody with five turns, in a conversation of their own."""
        rest = Rest(self.stack.url, self.stack.token(user=user))
        return Person(self, user, rest, await rest.conversation())

    def sounds(self) -> None:
        """Every model says the same again."""
        self.broken.otherwise = Behaviour(answer=PIECES, usage=(10, 60))
        self.sound.otherwise = Behaviour(answer=PIECES, usage=(30, 70))


@dataclass(frozen=True)
class Person:
    """Somebody who asks a model by its name."""

    bench: Bench
    user: str
    rest: Rest
    conversation: str

    async def events(self, model: str, heard: asyncio.Event | None = None) -> list[Json]:
        """All events of one turn; `heard` is set with the first word."""
        path, body = f"/v1/{self.conversation}/messages:send", {"text": "Well?", "choice": {"model": model}}
        events = []
        async for event in self.rest.events("POST", path, body):
            events.append(event)
            if heard and "delta" in event:
                heard.set()
        return events

    async def asks(self, model: str, heard: asyncio.Event | None = None) -> Outcome:
        """All of one turn; `heard` is set with the first word."""
        asked, used = self.bench.asked(), await self.used()
        events = await self.events(model, heard)
        last = events[-1].get("finished") or events[-1]["failed"]
        messages = (await self.rest.read(f"/v1/{self.conversation}/messages?page_size=100"))["messages"]
        assert messages[-1]["name"] == events[0]["message"]
        assert [int(event["number"]) for event in events] == [*range(1, len(events) + 1)]
        return Outcome(
            kinds(events),
            last["reason"].removeprefix("FINISH_REASON_").removeprefix("FAILURE_REASON_"),
            shown(events),
            messages[-1]["text"],
            tuple(_seam(event["seam"]) for event in events if "seam" in event),
            tuple((one["model"], _fault(one)) for one in last["receipt"]["attempts"]),
            self.bench.asked() - asked,
            int(last["receipt"]["charged"]),
            await self.used() - used,
        )

    async def used(self) -> int:
        """Turns that were charged; none stays held between two turns."""
        return int((await self.rest.settled())["used"])

    async def health(self, model: str) -> Json:
        """How a model does."""
        models = (await self.rest.read("/v1/models"))["models"]
        health: Json = next(one["health"] for one in models if one["id"] == model)
        return health

    async def awaits(self, model: str) -> None:
        """Waits until a model's rest is over."""
        async with asyncio.timeout(REST_SECONDS_MAX):
            while (await self.health(model))["breaker"] == "BREAKER_STATE_OPEN":
                await asyncio.sleep(0.1)


@dataclass
class Ways:
    """How every model that fails does at each time: the name of a way to fail, empty for none.

    `turns` counts those that are over.
    """

    turns: int = 0
    _since: list[tuple[float, str]] = field(default_factory=list)

    def begins(self, way: str) -> None:
        self._since.append((asyncio.get_running_loop().time(), way))

    async def lasts(self, seconds: float) -> None:
        """Waits until it has done so for so many seconds, and turns: on a busy machine those take longer."""
        turns = self.turns + PHASE_TURNS
        await asyncio.sleep(seconds)
        while self.turns < turns:
            await asyncio.sleep(0.05)

    def at(self, time: float) -> str:
        return [way for since, way in self._since if since <= time][-1]


@asynccontextmanager
async def flapping(bench: Bench, flaps: Sequence[tuple[str, Behaviour]]) -> AsyncIterator[Ways]:
    """Models go away, each time in the next of these ways, and come back, until the block is over."""
    ways = Ways()

    async def flap() -> None:
        for way, behaviour in cycle(flaps):
            bench.sound.otherwise = Behaviour(answer=PIECES, resumes=True)
            bench.broken.otherwise = behaviour
            ways.begins(way)
            await ways.lasts(AWAY_SECONDS)
            bench.sounds()
            bench.sound.otherwise = Behaviour(answer=PIECES, resumes=True)
            ways.begins("")
            await ways.lasts(BACK_SECONDS)

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(flap())
        # It has begun before anybody asks.
        await asyncio.sleep(0)
        yield ways
        task.cancel()
    bench.sounds()


def kinds(events: Sequence[Json]) -> tuple[str, ...]:
    """The kinds of events, a run of deltas as one."""
    every = [next(key for key in event if key not in ("message", "number")) for event in events]
    return tuple(kind for kind, before in zip(every, ["", *every], strict=False) if (kind, before) != ("delta",) * 2)


def shown(events: Sequence[Json]) -> str:
    """The text that a person has before them in the end."""
    text = ""
    for event in events:
        text = text[: int(event["seam"]["kept_characters"])] if "seam" in event else text + _delta(event)
    return text


def _delta(event: Json) -> str:
    return str(event.get("delta", {}).get("text", ""))


def _fault(told: Json) -> str:
    return str(told["fault"]).removeprefix("FAULT_").removeprefix("UNSPECIFIED")


def _seam(seam: Json) -> Seam:
    mode = str(seam["mode"]).removeprefix("SEAM_MODE_")
    return seam["from_model"], seam["to_model"], _fault(seam), mode, int(seam["kept_characters"])


@asynccontextmanager
async def bench(directory: Path) -> AsyncIterator[Bench]:
    """One stack with a list of models of its own, while the block runs."""
    async with provider() as broken, provider() as sound:
        file = directory / "models.toml"
        file.write_text("\n".join(_entries(broken.url, sound.url)))
        async with running(directory / "stack", environment={"SCENEMESH_MODELS": str(file)}) as stack:
            yield Bench(stack, broken, sound)


def _entries(broken: str, sound: str) -> list[str]:
    # As last resorts, they are asked by those alone who name them.
    failing = [
        _entry(f"{wire}{kind}-{number}", wire, broken, seconds, "last_resort = true")
        for wire in WIRES
        for kind, seconds in (("", PATIENT_SECONDS), ("-hasty", HASTY_SECONDS))
        for number in range(1, MODELS_MAX + 1)
    ]
    prices, prefill = "prices = {{ input = {0}, cached = {0}, output = {1} }}", 'capabilities = ["prefill"]'
    cheap, dear, dearest = (prices.format(*each) for each in ((1, 10), (100, 1_000), (200, 2_000)))
    continues = _entry(CONTINUES, "openai", sound, PATIENT_SECONDS, cheap, prefill, context_tokens=16_000)
    continues_too = _entry(CONTINUES_TOO, "anthropic", sound, PATIENT_SECONDS, dearest, prefill)
    anew = _entry(ANEW, "anthropic", sound, PATIENT_SECONDS, dear)
    anew_too = _entry(ANEW_TOO, "openai", sound, PATIENT_SECONDS, dearest)
    return [continues, continues_too, anew, anew_too, *failing]


def _entry(name: str, wire: str, url: str, seconds: int, *more: str, context_tokens: int = 8_000) -> str:
    lines = [
        "[[model]]",
        *(f'{key} = "{value}"' for key, value in (("id", name), ("model", name), ("wire", wire))),
        *('key_variable = "OPENAI_API_KEY"', 'class = "standard"', "tokens_per_turn = 1_000"),
        f'base_url = "{url}{"/v1" if wire == "openai" else ""}"',
        f"first_word_seconds = {seconds}\nidle_seconds = {seconds}",
        f"context_tokens = {context_tokens}\noutput_tokens_max = 500",
        *more,
    ]
    return "\n".join(lines) + "\n"
