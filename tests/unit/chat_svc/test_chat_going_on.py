"""What is gone on with is what was left, and what goes wrong with one answer ends nobody else's."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from inspect import signature
from math import inf
from types import TracebackType
from typing import Any, cast
from uuid import UUID

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from runtime.errors import NotFound
from services.chat_svc.answering import going_on
from services.chat_svc.answering.draft import Draft
from services.chat_svc.answering.generations import Generations
from services.chat_svc.answering.going_on import GoingOn
from services.chat_svc.domain.conversation import Message
from services.chat_svc.domain.entry import Began, Said
from services.chat_svc.domain.fault import Fault
from services.chat_svc.domain.handover import Handover
from services.chat_svc.domain.model import Class
from services.chat_svc.domain.outcome import Attempt
from services.chat_svc.domain.routing import Choice, Preference, Wanted
from services.chat_svc.siblings import Reservation
from tests.unit.chat_svc.messages import ANSWER, QUESTION

SHOWN = replace(QUESTION, parent=UUID(int=1), media=(UUID(int=2),))
LOG = (Began("first"), Said("Elem"))
LEFT = replace(ANSWER, parent=SHOWN.id, character="characters/sherlock-holmes", log=LOG)
DELETED = replace(LEFT, conversation=UUID(int=3))
HANDOVER = Handover(
    turns=1,
    tokens_per_turn=100,
    context_tokens=4_000,
    classes=frozenset({Class.PREMIUM}),
    choice=Choice("first", Preference.FAST, explain=True),
    seconds=30.0,
    attempts=(Attempt("first", Fault.HANDED_OVER),),
)


class Left:
    """Answers of which the database says what nobody foresaw."""

    def __init__(self) -> None:
        self.looked = asyncio.Semaphore(0)

    async def take_offered(self) -> list[Any]:
        self.looked.release()
        raise ValueError("nobody foresaw this")


class Channel:
    """Something is heard all the time."""

    def pubsub(self) -> "Channel":
        return self

    async def __aenter__(self) -> "Channel":
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        """Nothing is open."""

    async def subscribe(self, _: str) -> None:
        """There is one channel."""

    async def get_message(self, **_: object) -> None:
        await asyncio.sleep(0)


async def test_a_defect_in_taking_what_others_leave_does_not_end_the_process() -> None:
    left, nobody = Left(), cast("Any", None)
    parts: dict[str, Any] = dict.fromkeys(signature(GoingOn).parameters)
    async with asyncio.timeout(60), Generations(nobody, nobody, nobody, nobody, nobody, drain_seconds=0) as generations:
        listening = GoingOn(**{**parts, "answers": left, "generations": generations, "waiting": Channel()})
        running = asyncio.create_task(listening.run())
        for _ in range(3):
            await left.looked.acquire()
        running.cancel()
        await asyncio.wait([running])
    assert running.cancelled()


class Others:
    """All that is asked when an answer of those that are `left` is gone on with; `drafts` are what is gone on with."""

    def __init__(self, *left: tuple[Message, Handover]) -> None:
        self.drafts: asyncio.Queue[tuple[Message, Draft]] = asyncio.Queue()
        self.left = [*left]

    async def take_offered(self) -> list[tuple[Message, Handover]]:
        # As long as a call takes: whoever was taken before is gone on with meanwhile.
        for _ in range(5):
            await asyncio.sleep(0)
        return [self.left.pop(0)] if self.left else []

    async def conversation(self, user: str, name: UUID) -> Any:
        if name == DELETED.conversation:
            raise NotFound("There is no such conversation among yours.", reason="CONVERSATION_NOT_FOUND")
        return user, name

    async def get(self, user: str, conversation: UUID, message: UUID) -> Message:
        return SHOWN if message == SHOWN.id else replace(ANSWER, id=message)

    async def images(self, user: str, media: Sequence[UUID]) -> Any:
        return user, media

    async def scene(self, *asked: object) -> Any:
        return asked

    def draft(self, scene: Any, reservation: Reservation, choice: Choice) -> Draft:
        wanted = Wanted(reservation.classes, 7, choice.preference, choice.model, last="earlier")
        return Draft(scene, reservation.context_tokens, wanted, 1_000, choice.explain)

    async def go_on(self, _: object, answer: Message, draft: Draft, __: Handover) -> None:
        self.drafts.put_nowait((answer, draft))


class Interrupted(Channel):
    """Redis is away so many times; whenever it is listened to after that, somebody has `left` something."""

    def __init__(self, times: float, left: Callable[[], None]) -> None:
        self._times = times
        self._left = left

    async def get_message(self, **_: object) -> None:
        await asyncio.sleep(0)
        if self._times:
            self._times -= 1
            raise RedisConnectionError("Down.")
        self._left()


async def _gone_on_with(others: Others, channel: Channel | None = None) -> tuple[Message, Draft]:
    """What is gone on with first."""
    part: Any = others
    parts = dict.fromkeys(signature(GoingOn).parameters, part)
    async with asyncio.timeout(60), Generations(part, part, part, part, part, drain_seconds=0) as generations:
        parts |= {"generations": generations, "waiting": channel or Channel()}
        running = asyncio.create_task(GoingOn(**parts).run())
        found = await others.drafts.get()
        running.cancel()
        await asyncio.wait([running])
    return found


async def test_an_answer_goes_on_as_it_was_begun_behind_what_was_left() -> None:
    answer, draft = await _gone_on_with(Others((LEFT, HANDOVER)))
    images = LEFT.user, SHOWN.media
    scene: Any = ((LEFT.user, LEFT.conversation), LEFT.character, SHOWN.parent, SHOWN.text, images)
    wanted = Wanted(frozenset({Class.PREMIUM}), 7, Preference.FAST, asked="first", last="first")
    assert answer == LEFT
    assert draft == Draft(scene, 4_000, wanted, 100, explain=True, said=LOG, attempts=HANDOVER.attempts, seconds=30.0)


async def test_an_answer_that_follows_another_one_goes_on_behind_that_one() -> None:
    before = UUID(int=4)
    _, draft = await _gone_on_with(Others((replace(LEFT, parent=before), HANDOVER)))
    scene: Any = ((LEFT.user, LEFT.conversation), LEFT.character, before, None)
    assert draft.scene == scene


async def test_an_answer_that_cannot_be_gone_on_with_ends_nobody_elses() -> None:
    assert (await _gone_on_with(Others((DELETED, HANDOVER), (LEFT, HANDOVER))))[0] == LEFT


async def test_what_others_leave_is_taken_while_redis_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(going_on, "BLOCK_SECONDS", 0.0)
    channel = Interrupted(inf, lambda: None)
    assert (await _gone_on_with(Others((LEFT, HANDOVER)), channel))[0] == LEFT


async def test_after_redis_was_away_what_others_leave_is_heard_of_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(going_on, "BLOCK_SECONDS", 0.0)
    others = Others()
    channel = Interrupted(2, lambda: others.left.append((LEFT, HANDOVER)))
    assert (await _gone_on_with(others, channel))[0] == LEFT
