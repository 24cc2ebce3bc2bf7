"""What is held for an answer that does not begin, or that a twin of the call began."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from runtime.errors import Aborted, NotFound
from services.chat_svc.domain.conversation import Message
from services.chat_svc.domain.routing import Choice
from services.chat_svc.siblings import Reservation
from services.chat_svc.store import Begun
from services.chat_svc.turning.opening import Beginning, Opening
from tests.unit.chat_svc.messages import ANSWER, QUESTION

HELD = Reservation(ANSWER.hold, 4_000, "chat", 1, frozenset())
CHANGED = Aborted("It went on.", reason="CONVERSATION_CHANGED")
GONE = NotFound("There is no such character.", reason="CHARACTER_NOT_FOUND")
DEFECT = ValueError("a defect")
TWIN = Begun(QUESTION, ANSWER, new=False)
ANOTHER = Begun(QUESTION, replace(ANSWER, hold="users/alice/holds/2"), new=False)


class Others:
    """Credit, and the database, which says `begun` of the answer, or fails; `released` are the holds given back."""

    def __init__(self, begun: Begun | Exception, twin: Begun | None = None) -> None:
        self.released: list[str] = []
        self._begun = begun
        self._twin = twin

    async def reserve(self, *_: object, **__: object) -> Reservation:
        # As long as a call takes.
        for _tick in range(3):
            await asyncio.sleep(0)
        return HELD

    async def release(self, hold: str) -> None:
        self.released.append(hold)

    async def begin(self, question: Message, answer: Message, *_: object, **__: object) -> Begun:
        if isinstance(self._begun, Exception):
            raise self._begun
        return self._begun

    async def find(self, *_: object) -> Begun | None:
        return self._twin


class Speech:
    """Nobody answers."""

    def check(self, *_: object) -> None:
        """All is well."""

    check_able = check_awake = check

    def needs_premium(self, *_: object) -> bool:
        return False

    def draft(self, scene: object, *_: object) -> Any:
        return SimpleNamespace(scene=scene, wanted=None)

    def first_model(self, _: object) -> None:
        return None


async def scene() -> Any:
    return SimpleNamespace(speaker=SimpleNamespace(character=ANSWER.character))


async def gone() -> Any:
    raise GONE


async def given_back(
    others: Others, seen: Callable[[], Awaitable[Any]] = scene, *, repeatable: bool = True
) -> tuple[list[str], Exception | None]:
    """The holds that are given back, and what went wrong."""
    part: Any = others
    conversation = cast("Any", SimpleNamespace(user=ANSWER.user, id=ANSWER.conversation, current=None))
    beginning = Beginning(conversation, ANSWER.id, seen, (), Choice(), QUESTION, None, repeatable=repeatable)
    opening = Opening(part, part, cast("Any", Speech()), lambda: ANSWER.created_at)
    try:
        await opening.open(beginning, lambda *_: None)
    except (Aborted, NotFound, ValueError) as error:
        return others.released, error
    return others.released, None


async def test_what_is_held_for_a_scene_that_is_none_is_given_back_though_it_is_held_later() -> None:
    assert await given_back(Others(TWIN), gone) == ([HELD.hold], GONE)


@pytest.mark.parametrize("fault", [CHANGED, DEFECT], ids=["refused", "defect"])
@pytest.mark.parametrize("twin", [None, ANOTHER], ids=["alone", "another hold"])
async def test_what_is_held_for_an_answer_that_does_not_begin_is_given_back(
    fault: Exception, twin: Begun | None
) -> None:
    assert await given_back(Others(fault, twin)) == ([HELD.hold], fault)


async def test_what_a_twin_began_its_answer_with_is_not_given_back() -> None:
    assert await given_back(Others(CHANGED, TWIN)) == ([], CHANGED)
    assert await given_back(Others(TWIN)) == ([], None)


async def test_what_is_held_beside_the_hold_of_a_faster_twin_is_given_back() -> None:
    assert await given_back(Others(ANOTHER)) == ([HELD.hold], None)


async def test_what_cannot_be_asked_for_again_has_no_twin() -> None:
    assert await given_back(Others(CHANGED, TWIN), repeatable=False) == ([HELD.hold], CHANGED)
