"""What a model is told of a long conversation: what has room, a summary of the rest, and what is pinned."""

from uuid import UUID, uuid4

import asyncpg

from runtime.postgres import pool
from scenemesh.chat.v1 import chat_pb2
from services.chat_svc.domain.ending import estimated_tokens
from services.chat_svc.domain.wording import EARLIER
from services.chat_svc.store import MIGRATIONS, SCHEMA, Conversations
from services.chat_svc.store.transcripts import Transcripts
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider, Request
from tests.service.chat_svc.groups import gathered, round_of
from tests.service.chat_svc.replica import Person, eventually
from tests.service.chat_svc.siblings import CONTEXT_TOKENS, FakeQuota
from tests.service.chat_svc.told import in_time, looked_up, texts, titled

# Of what a prompt may have here, about a fifth.
LONG = "word " * 640
MET = f"{EARLIER}\n<summary>They met.</summary>\n\n"


def _opening(request: Request) -> str:
    return texts(request)[0]


async def _filled(alice: Person, conversation: str, fake: FakeProvider, turns: int) -> None:
    """Turns with short answers, which fill the room by what the person says."""
    fake.otherwise = Behaviour(answer=["Yes."])
    for turn in range(turns):
        await alice.turn(conversation, f"{turn}: {LONG}")


async def _summarised(alice: Person, conversation: str, summary: str) -> None:
    async def is_so() -> bool:
        return (await looked_up(alice, conversation)).summary == summary

    await in_time(is_so)


async def test_a_prompt_grows_at_its_end(alice: Person, fake: FakeProvider) -> None:
    conversation = await titled(alice)
    fake.script(Behaviour(answer=["One."]), Behaviour(answer=["Two."]))
    for text in ("First?", "Second?", "Third?"):
        await alice.turn(conversation, text)
    assert [texts(one) for one in fake.requests] == [
        ["First?"],
        ["First?", "One.", "Second?"],
        ["First?", "One.", "Second?", "Two.", "Third?"],
    ]
    assert len({str(one.body["system"]) for one in fake.requests}) == 1


async def test_older_turns_become_a_summary_before_there_is_no_room_for_them(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    quota.left = 20
    conversation = await titled(alice)
    fake.script_asides(Behaviour(answer=["They met:\n", " well."]))
    await _filled(alice, conversation, fake, 4)
    await _summarised(alice, conversation, "They met: well.")
    await alice.turn(conversation, "And now?")
    (asked,) = fake.asides
    retold = texts(asked)[0]
    assert retold.startswith("<transcript>\nThe person: 0: word")
    told = texts(fake.requests[-1])
    assert told[0].startswith(f"{EARLIER}\n<summary>They met: well.</summary>\n\n")
    # What the summary has is left out, and the rest is all there.
    kept = [turn for turn in range(4) if any(f"{turn}: word" in text for text in told)]
    assert kept == [turn for turn in range(4) if f"{turn}: word" not in retold] != []
    assert all(sum(map(estimated_tokens, texts(one))) < CONTEXT_TOKENS for one in fake.requests)
    assert not any("left out" in text for one in fake.requests for text in texts(one))
    assert quota.left == 15


async def test_the_next_summary_is_made_of_the_last_one_and_of_what_came_since(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    quota.left = 20
    conversation = await titled(alice)
    fake.script_asides(Behaviour(answer=["They met."]), Behaviour(answer=["They parted."]))
    await _filled(alice, conversation, fake, 4)
    await _summarised(alice, conversation, "They met.")
    for turn in range(4, 8):
        await alice.turn(conversation, f"{turn}: {LONG}")
    await _summarised(alice, conversation, "They parted.")
    earlier, later = (texts(one)[0] for one in fake.asides[:2])
    assert later.startswith("<summary>They met.</summary>\n<transcript>\n")
    once = [turn for turn in range(8) if (f"{turn}: word" in earlier) and (f"{turn}: word" in later)]
    assert once == []


async def test_a_summary_counts_on_its_own_branch_alone(alice: Person, fake: FakeProvider, quota: FakeQuota) -> None:
    quota.left = 20
    conversation = await titled(alice)
    fake.script_asides(Behaviour(answer=["They met."]))
    await _filled(alice, conversation, fake, 4)
    await _summarised(alice, conversation, "They met.")
    question, *_ = await alice.messages(conversation)
    request = chat_pb2.RewriteMessageRequest(name=question.name, text="Otherwise?")
    _ = [event async for event in alice.stub.RewriteMessage(request, metadata=alice.metadata)]
    assert texts(fake.requests[-1]) == ["Otherwise?"]
    assert (await looked_up(alice, conversation)).summary == "They met."


async def test_a_summary_that_fails_is_made_after_a_later_turn(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    # However many turns it takes.
    quota.left = 1_000
    conversation = await titled(alice)
    fake.script_asides(Behaviour(status=400), Behaviour(answer=["They met."]))
    await _filled(alice, conversation, fake, 4)
    await eventually(lambda: len(fake.asides) == 1)
    assert (await looked_up(alice, conversation)).summary == ""

    async def made() -> bool:
        await alice.turn(conversation, "Go on.")
        return (await looked_up(alice, conversation)).summary == "They met."

    await in_time(made)
    await alice.turn(conversation, "And now?")
    assert _opening(fake.requests[-1]).startswith(MET)


async def test_what_is_pinned_stays_when_it_is_summarised(alice: Person, fake: FakeProvider, quota: FakeQuota) -> None:
    quota.left = 20
    conversation = await titled(alice)
    fake.script(Behaviour(answer=["Noted."]))
    await alice.turn(conversation, "I am afraid\nof dogs.")
    pinned, _ = await alice.messages(conversation)
    change = chat_pb2.Message(name=pinned.name, pinned=True)
    request = chat_pb2.UpdateMessageRequest(message=change, update_mask={"paths": ["pinned"]})
    await alice.stub.UpdateMessage(request, metadata=alice.metadata)
    fake.script_asides(Behaviour(answer=["They met."]))
    await _filled(alice, conversation, fake, 4)
    await _summarised(alice, conversation, "They met.")
    await alice.turn(conversation, "And now?")
    kept = "<pinned>\nThe person: I am afraid of dogs.\n</pinned>\n\n"
    assert _opening(fake.requests[-1]).startswith(MET.removesuffix("\n") + kept)


async def test_of_a_branch_only_so_much_is_read(alice: Person, database: str) -> None:
    conversation = await titled(alice)
    identifier = UUID(conversation.removeprefix("conversations/"))
    ids = [uuid4() for _ in range(2_500)]
    await _said(database, identifier, ids)
    async with pool(database, schema=SCHEMA, migrations=MIGRATIONS) as connections:
        transcripts = Transcripts(connections)
        known = await Conversations(connections).conversation("alice", identifier)
        whole = await transcripts.branch(known, ids[-1], 10_000, 1_000_000)
        some = await transcripts.branch(known, ids[-1], 2_000, 1_000_000)
        assert await transcripts.summarise(known, "They met.", whole.messages[:100])
        behind = await transcripts.branch(known, ids[-1], 10_000, 1_000_000)
        short = await transcripts.branch(known, ids[-1], 10_000, 40)
        oldest = await transcripts.oldest(known, ids[-1], 500, 60)
        pinned = await transcripts.pinned(known, ids[1_000])
    assert [one.id for one in whole.messages] == ids
    assert (whole.before, whole.cut, whole.summary) == (None, False, "")
    assert ([one.id for one in some.messages], some.before, some.cut) == (ids[500:], ids[499], True)
    assert ([one.id for one in behind.messages], behind.before) == (ids[100:], ids[99])
    assert ([one.id for one in oldest.messages], oldest.before) == (ids[100:106], ids[99])
    assert [(one.cut, one.summary) for one in (behind, oldest)] == [(False, "They met.")] * 2
    assert [one.id for one in short.messages] == ids[-4:]
    assert [one.id for one in pinned] == [ids[10], ids[1_000]]


async def _said(database: str, conversation: UUID, ids: list[UUID]) -> None:
    """Messages of ten letters each, one after the other; the eleventh and two later ones are pinned."""
    connection = await asyncpg.connect(database)
    rows = [
        ("alice", conversation, one, place + 1, ids[place - 1] if place else None, place in (10, 1_000, 2_000))
        for place, one in enumerate(ids)
    ]
    await connection.executemany(
        """
        INSERT INTO chat.messages
            (user_id, conversation_id, id, position, parent_id, pinned, role, text, state, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, 'user', 'ten letter', 'complete', now())
        """,
        rows,
    )
    await connection.close()


async def test_in_a_group_only_the_end_says_who_speaks(alice: Person, fake: FakeProvider) -> None:
    conversation = await gathered(alice)
    fake.script(Behaviour(answer=["Elementary."]), Behaviour(answer=["Good heavens."]), Behaviour(answer=["Quite."]))
    await round_of(alice, conversation, "Well?")
    names = ("Sherlock Holmes", "John Watson", "Mycroft Holmes")
    ends = [f"[Now {name} speaks, and for themselves alone.]" for name in names]
    assert [texts(one) for one in fake.requests] == [
        [f"Well?\n\n{ends[0]}"],
        ["Well?", "Sherlock Holmes: Elementary.", ends[1]],
        ["Well?", "Sherlock Holmes: Elementary.\n\nJohn Watson: Good heavens.", ends[2]],
    ]
    assert len({str(one.body["system"]) for one in fake.requests}) == 1
