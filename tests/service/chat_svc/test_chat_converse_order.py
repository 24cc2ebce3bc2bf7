"""What one stream asks for takes effect in the order in which it was asked for, however fast it is asked."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from scenemesh.chat.v1 import chat_pb2
from services.chat_svc.domain.conversation import answer_id
from services.chat_svc.domain.model import Model
from services.chat_svc.domain.wish import Wish
from services.chat_svc.store import Begun
from services.chat_svc.turning.conversing import AT_ONCE_MAX
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.groups import CAST, SHERLOCK, WATSON, gathered, paused
from tests.service.chat_svc.replica import WAIT_SECONDS, Person, Replica, Surroundings, replica
from tests.service.chat_svc.siblings import FakeQuota
from tests.service.chat_svc.test_chat_converse import Responses, Stream, conversing, error
from tests.service.chat_svc.told import titled

STREAMS = 20
# Says something and never ends by itself; the other ends at once.
SLOW, FAST = Behaviour(stall_after=2), Behaviour(answer=["Yes."])
STOP, STOPPED = chat_pb2.FINISH_REASON_STOP, chat_pb2.FINISH_REASON_STOPPED


@pytest.fixture
async def first(around: Surroundings, claude: Model) -> AsyncIterator[Replica]:
    """A replica that has patience with models that say nothing more."""
    async with replica(around, [claude], idle_seconds=WAIT_SECONDS) as first:
        yield first


@pytest.fixture(autouse=True)
def rich(quota: FakeQuota) -> None:
    """Credit for everything that is said here."""
    quota.left = 200


def saying(text: str, **more: Any) -> chat_pb2.SendMessageRequest:
    return chat_pb2.SendMessageRequest(text=text, **more)


def endings(heard: Responses) -> dict[int, int]:
    """How the last answer to each request ended."""
    return {one.place: one.event.finished.reason for one in heard if one.event.HasField("finished")}


def refused(heard: Responses) -> list[tuple[int, int, str]]:
    return [error(one) for one in heard if one.HasField("error")]


async def said(person: Person, conversation: str) -> list[str]:
    """What the person said, in order; every other message is an answer."""
    messages = await person.messages(conversation)
    assert [one.role for one in messages] == [chat_pb2.ROLE_USER, chat_pb2.ROLE_CHARACTER] * (len(messages) // 2)
    return [one.text for one in messages[::2]]


def answer_of(conversation: str, request: str) -> str:
    """The name of the answer to a request, which is known before it has begun."""
    parent = UUID(conversation.partition("/")[2])
    return f"{conversation}/messages/{answer_id(parent, request, uuid4())}"


async def say_last(stream: Stream, place: int, conversation: str, text: str, **more: Any) -> None:
    """Says something in place of whatever goes on, and stops the answer, all at once."""
    request = str(uuid4())
    await stream.say(place, send=saying(text, request_id=request, **more), interrupt=True)
    await stream.say(place + 1, stop=chat_pb2.StopMessageRequest(name=answer_of(conversation, request)))


async def hurried(person: Person, *texts: str) -> tuple[dict[int, int], list[str]]:
    """One who says several things without waiting for anything, each in place of the one before it.

    How the answers ended, the last of which is stopped, and what is kept of what was said.
    """
    conversation = await titled(person)
    async with conversing(person) as stream:
        await stream.say(1, open=conversation)
        for place, text in enumerate(texts[:-1], 2):
            await stream.say(place, send=saying(text), interrupt=place > 2)
        await say_last(stream, len(texts) + 1, conversation, texts[-1])
        rest = await stream.rest()
    assert refused(rest) == []
    return endings(rest), await said(person, conversation)


async def test_who_interrupts_at_once_loses_neither_message_of_a_slow_answer(
    first: Replica, fake: FakeProvider
) -> None:
    fake.otherwise = SLOW
    people = [first.person(f"order-slow-{number}") for number in range(STREAMS)]
    outcomes = await asyncio.gather(*(hurried(person, "Go on.", "And now?") for person in people))
    assert outcomes == [({2: STOPPED, 3: STOPPED}, ["Go on.", "And now?"])] * STREAMS


async def test_who_interrupts_at_once_loses_neither_message_of_a_fast_answer(
    first: Replica, fake: FakeProvider
) -> None:
    fake.otherwise = FAST
    people = [first.person(f"order-fast-{number}") for number in range(STREAMS)]
    outcomes = await asyncio.gather(*(hurried(person, "Go on.", "And now?") for person in people))
    # A fast answer may end before anybody stops it.
    assert [set(ended) for ended, _ in outcomes] == [{2, 3}] * STREAMS
    assert {reason for ended, _ in outcomes for reason in ended.values()} <= {STOP, STOPPED}
    assert [kept for _, kept in outcomes] == [["Go on.", "And now?"]] * STREAMS


async def test_each_of_three_in_a_row_interrupts_the_one_before_it(alice: Person, fake: FakeProvider) -> None:
    fake.otherwise = SLOW
    texts = ["Go on.", "And now?", "And then?"]
    assert await hurried(alice, *texts) == ({2: STOPPED, 3: STOPPED, 4: STOPPED}, texts)


async def test_a_turn_that_begins_slowly_begins_before_it_is_interrupted(
    alice: Person, first: Replica, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.otherwise = SLOW
    conversation = await titled(alice)
    begin, ready = first.parts.turns.begin, asyncio.Event()

    async def begin_slowly(user: str, conversation: UUID, wish: Wish) -> Begun:
        if wish.text == "Go on.":
            await ready.wait()
        return await begin(user, conversation, wish)

    monkeypatch.setattr(first.parts.turns, "begin", begin_slowly)
    async with conversing(alice) as stream:
        await stream.say(1, open=conversation)
        await stream.say(2, send=saying("Go on."))
        await say_last(stream, 3, conversation, "And now?")
        # What comes back shows that the others have been read.
        await stream.say(5, open=conversation)
        assert error((await stream.hear_until("error"))[-1]) == (5, 9, "ALREADY_OPEN")
        ready.set()
        rest = await stream.rest()
    assert (refused(rest), endings(rest)) == ([], {2: STOPPED, 3: STOPPED})
    assert await said(alice, conversation) == ["Go on.", "And now?"]


async def test_a_message_that_is_refused_keeps_nobody_from_speaking(alice: Person, fake: FakeProvider) -> None:
    fake.otherwise = SLOW
    conversation = await titled(alice)
    async with conversing(alice) as stream:
        await stream.say(1, open=conversation)
        await stream.say(2, send=saying("Go on."))
        await stream.say(3, send=saying(""), interrupt=True)
        await stream.say(4, send=saying("Without waiting?"))
        await say_last(stream, 5, conversation, "And now?")
        rest = await stream.rest()
    assert refused(rest) == [(3, 3, "INVALID_ARGUMENT"), (4, 10, "ANSWER_IN_PROGRESS")]
    assert endings(rest) == {2: STOPPED, 5: STOPPED}
    assert await said(alice, conversation) == ["Go on.", "And now?"]


async def test_an_answer_can_be_stopped_before_anybody_knows_that_it_began(alice: Person, fake: FakeProvider) -> None:
    fake.otherwise = SLOW
    conversation, request, later = await titled(alice), str(uuid4()), str(uuid4())
    name = answer_of(conversation, request)
    async with conversing(alice) as stream:
        await stream.say(1, open=conversation)
        await stream.say(2, send=saying("Go on.", request_id=request))
        await stream.say(3, stop=chat_pb2.StopMessageRequest(name=name))
        # Nobody speaks any more.
        await stream.say(4, send=saying("And now?", request_id=later))
        await stream.say(5, stop=chat_pb2.StopMessageRequest(name=answer_of(conversation, later)))
        rest = await stream.rest()
    (stopped,) = [one.stopped for one in rest if one.place == 3]
    assert (stopped.name, stopped.state) == (name, chat_pb2.MESSAGE_STATE_COMPLETE)
    assert (refused(rest), endings(rest)) == ([], {2: STOPPED, 4: STOPPED})
    assert await said(alice, conversation) == ["Go on.", "And now?"]


async def test_what_is_sent_can_be_watched_at_once(alice: Person, fake: FakeProvider) -> None:
    fake.otherwise = FAST
    conversation, request = await titled(alice), str(uuid4())
    async with conversing(alice) as stream:
        await stream.say(1, open=conversation)
        await stream.say(2, send=saying("Go on.", request_id=request))
        await stream.say(3, watch=chat_pb2.WatchMessageRequest(name=answer_of(conversation, request)))
        rest = await stream.rest()
    assert (refused(rest), endings(rest)) == ([], {2: STOP, 3: STOP})


async def test_who_says_the_same_again_does_not_interrupt_themselves(
    alice: Person, first: Replica, fake: FakeProvider
) -> None:
    fake.otherwise = SLOW
    conversation, request = await titled(alice), str(uuid4())
    again = saying("Go on.", request_id=request)
    async with conversing(alice) as lost:
        await lost.say(1, open=conversation)
        await lost.say(2, send=again, interrupt=True)
        await lost.hear_until("delta")
    async with conversing(alice) as stream:
        await stream.say(1, open=conversation)
        await stream.say(2, send=again, interrupt=True)
        await stream.hear_until("delta")
        assert len(first.generations.running) == 1
        await stream.say(3, stop=chat_pb2.StopMessageRequest(name=answer_of(conversation, request)))
        rest = await stream.rest()
    assert (refused(rest), endings(rest), len(fake.requests)) == ([], {2: STOPPED}, 1)
    assert await said(alice, conversation) == ["Go on."]


async def test_however_much_goes_on_an_answer_can_be_stopped(alice: Person, fake: FakeProvider) -> None:
    fake.otherwise = SLOW
    conversation, request = await titled(alice), str(uuid4())
    name = answer_of(conversation, request)
    async with conversing(alice) as stream:
        await stream.say(1, open=conversation)
        await stream.say(2, send=saying("Go on.", request_id=request))
        for place in range(3, AT_ONCE_MAX + 2):
            await stream.say(place, watch=chat_pb2.WatchMessageRequest(name=name))
        await stream.say(20, send=saying("And now?"), interrupt=True)
        for place in range(21, 21 + 2 * AT_ONCE_MAX):
            await stream.say(place, stop=chat_pb2.StopMessageRequest(name=name))
        rest = await stream.rest()
    assert refused(rest) == [(20, 8, "TOO_MANY_AT_ONCE")]
    assert endings(rest) == dict.fromkeys(range(2, AT_ONCE_MAX + 2), STOPPED)
    stopped = {one.place: one.stopped.name for one in rest if one.HasField("stopped")}
    assert stopped == dict.fromkeys(range(21, 21 + 2 * AT_ONCE_MAX), name)


async def _interrupted_round(
    person: Person, group: chat_pb2.Group | None = None, after: str = ""
) -> tuple[list[str], list[str]]:
    """Who spoke, in order, the person as "", and who was said to follow; `after` an event, or at once."""
    conversation = await gathered(person, group)
    async with conversing(person) as stream:
        await stream.say(1, open=conversation)
        await stream.say(2, send=saying("Well?"))
        if after:
            await stream.hear_until(after)
        await say_last(stream, 3, conversation, "And you?", speakers=[WATSON])
        rest = await stream.rest()
    messages = await person.messages(conversation)
    assert (refused(rest), [one.text for one in messages if not one.character]) == ([], ["Well?", "And you?"])
    return [one.character for one in messages], [one.next_message for one in messages if one.next_message]


async def test_who_interrupts_a_group_at_once_ends_the_round(alice: Person, fake: FakeProvider) -> None:
    fake.otherwise = SLOW
    assert await _interrupted_round(alice) == (["", SHERLOCK, "", WATSON], [])
    assert len(fake.requests) <= 2


async def test_who_interrupts_a_group_in_a_pause_ends_the_round(alice: Person, fake: FakeProvider) -> None:
    fake.otherwise = FAST
    assert await _interrupted_round(alice, paused(), after="finished") == (["", SHERLOCK, "", WATSON], [])
    assert len(fake.requests) <= 2


async def test_nobody_of_an_interrupted_round_speaks_after_the_person(first: Replica, fake: FakeProvider) -> None:
    fake.otherwise = FAST
    people = [first.person(f"order-group-{number}") for number in range(6)]
    outcomes = await asyncio.gather(*map(_interrupted_round, people))
    # How many speak before they are interrupted is theirs.
    rounds = {("", *CAST[:spoke], "", WATSON) for spoke in (1, 2, 3)}
    assert {tuple(spoke) for spoke, _ in outcomes} <= rounds
    # An answer says which one follows, and only what came after it does.
    assert [len(followed) for _, followed in outcomes] == [len(spoke) - 4 for spoke, _ in outcomes]


async def test_a_round_that_is_stopped_at_once_is_one_answer(alice: Person, fake: FakeProvider) -> None:
    fake.otherwise = SLOW
    conversation, request = await gathered(alice), str(uuid4())
    async with conversing(alice) as stream:
        await stream.say(1, open=conversation)
        await stream.say(2, send=saying("Well?", request_id=request))
        await stream.say(3, stop=chat_pb2.StopMessageRequest(name=answer_of(conversation, request)))
        rest = await stream.rest()
    assert (refused(rest), endings(rest)) == ([], {2: STOPPED})
    assert [one.character for one in await alice.messages(conversation)] == ["", SHERLOCK]
    assert len(fake.requests) <= 1
