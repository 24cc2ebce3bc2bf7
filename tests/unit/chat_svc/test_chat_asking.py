"""Who is asked behind the scenes, and how little that may take."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from services.chat_svc.domain.aside import Aside
from services.chat_svc.domain.crowd import Pause, at_once
from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.fault import Cut
from services.chat_svc.domain.model import Class, Model
from services.chat_svc.domain.outcome import FinishReason
from services.chat_svc.domain.prompt import Prompt
from services.chat_svc.models.roster import Roster
from services.chat_svc.models.router import Router
from services.chat_svc.scenes import asking
from services.chat_svc.scenes.asking import Asking
from tests.unit.chat_svc.models import Clock, model

ASIDE = Aside("You work behind the scenes.", "<transcript>\n</transcript>")


@dataclass
class Speaker:
    """Says what it is told to, once the gate is open; None breaks off."""

    model: Model
    words: Sequence[str | None]
    gate: asyncio.Event
    asked: list[Prompt] = field(default_factory=list)

    async def answer(
        self, prompt: Prompt, prefix: str = "", pause: Pause = at_once
    ) -> AsyncGenerator[str | Completed, None]:
        self.asked.append(prompt)
        await self.gate.wait()
        for word in self.words:
            if word is None:
                raise Cut("cut")
            yield word
        yield Completed(FinishReason.STOP)

    async def close(self) -> None:
        """Has nothing open."""


class Stage:
    """Models that all say the same; the gate is open."""

    def __init__(self, models: Sequence[Model], words: Sequence[str | None] = ("Yes.",)) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.speakers: dict[str, Speaker] = {}
        self._words = words
        self.router = Router(Roster([(one, "") for one in models], self._open), Clock())
        self.asking = Asking(self.router)

    def _open(self, model: Model, key: str) -> Speaker:
        self.speakers[model.id] = Speaker(model, self._words, self.gate)
        return self.speakers[model.id]

    @property
    def asked(self) -> dict[str, int]:
        return {name: len(speaker.asked) for name, speaker in self.speakers.items() if speaker.asked}


async def test_the_cheapest_standard_model_is_asked() -> None:
    stage = Stage([model("dear", dollars="9"), model("cheap", dollars="0.1"), model("best", Class.PREMIUM)])
    assert await stage.asking.ask(ASIDE) == "Yes."
    assert stage.asked == {"cheap": 1}
    assert stage.speakers["cheap"].asked == [ASIDE.prompt]


async def test_a_last_resort_is_never_asked() -> None:
    stage = Stage([replace(model("weak"), last_resort=True)])
    assert (await stage.asking.ask(ASIDE), stage.asked) == ("", {})


async def test_nobody_is_asked_who_has_no_room_for_it() -> None:
    stage = Stage([replace(model("small"), context_tokens=2_000, output_tokens_max=1_990), model("large", dollars="1")])
    assert (await stage.asking.ask(ASIDE), stage.asked) == ("Yes.", {"large": 1})


async def test_a_model_that_fails_is_no_fault_of_the_asker_and_counts_against_it() -> None:
    stage = Stage([model("cut")], ("Ye", None))
    assert await stage.asking.ask(ASIDE) == ""
    assert stage.router.health("cut").failing(1_000.0) > 0


async def test_of_too_long_an_answer_the_whole_lines_are_taken() -> None:
    stage = Stage([model()], ["One.\n", "Two two two.\n", "Three three three ", "three.\n", "Four."])
    assert await stage.asking.ask(replace(ASIDE, tokens_max=8)) == "One.\nTwo two two."
    assert await stage.asking.ask(replace(ASIDE, tokens_max=1)) == "One."


async def test_one_too_many_at_a_time_is_dropped() -> None:
    stage = Stage([model()])
    stage.gate.clear()
    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(stage.asking.ask(ASIDE)) for _ in range(asking.ASKED_MAX)]
        while stage.asked != {"one": asking.ASKED_MAX}:
            await asyncio.sleep(0)
        assert await stage.asking.ask(ASIDE) == ""
        stage.gate.set()
    assert [task.result() for task in asked] == ["Yes."] * asking.ASKED_MAX
    assert await stage.asking.ask(ASIDE) == "Yes."


async def test_one_that_takes_too_long_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "ASIDE_SECONDS_MAX", 0.01)
    stage = Stage([model()])
    stage.gate.clear()
    assert await stage.asking.ask(ASIDE) == ""
