"""Our own file with everything in it, opened by whoever took it out, and by somebody else."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from random import Random

import pytest
from PIL import Image

from scenemesh.chat.v1 import chat_pb2
from services.chat_svc.domain.model import Capability, Model
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.archivist import OURS, Archivist, placed
from tests.service.chat_svc.groups import LIST, SHERLOCK
from tests.service.chat_svc.pictures import MAKER, claimed, opened, owner, photograph, picture, recording, showing
from tests.service.chat_svc.replica import Replica, Surroundings, replica
from tests.service.chat_svc.siblings import FakeQuota
from tests.service.chat_svc.test_chat_characters import Author

UUID_1 = "00000000-0000-4000-8000-000000000001"
COLOURS = ("red", "lime", "blue")


@pytest.fixture
async def first(around: Surroundings, claude: Model, gpt: Model) -> AsyncIterator[Replica]:
    """A process whose models see, of which the other one goes on where one breaks off."""
    seeing = frozenset({Capability.VISION, Capability.PREFILL})
    models = [replace(claude, capabilities=seeing), replace(gpt, capabilities=seeing)]
    async with replica(around, models) as first:
        yield first


@pytest.fixture
def alices(first: Replica) -> Archivist:
    return Archivist(first)


@dataclass(frozen=True)
class Whole:
    """A group's conversation with everything that there is."""

    name: str
    cast: Sequence[str]


@pytest.fixture
async def whole(first: Replica, alices: Archivist, fake: FakeProvider, quota: FakeQuota) -> Whole:
    quota.left = 50
    person, media = alices.person, [(await owner(first).keep(picture(colour=one))).name for one in ("red", "blue")]
    mira = (await Author(first).create()).name
    group = chat_pb2.Group(turn_order=LIST, talkativeness={mira: 70}, answers_max=2, seed=7, credits_max=9)
    wanted = chat_pb2.Conversation(character=mira, others=[SHERLOCK], group=group, display_name="At  the lighthouse")
    parent = (
        await person.stub.CreateConversation(
            chat_pb2.CreateConversationRequest(conversation=wanted), metadata=person.metadata
        )
    ).name
    fake.script(Behaviour(answer=["Elem", "ent", "x"], cut_after=2), Behaviour(answer=["ary", "."]))
    events = await showing(person, parent, media)
    question, answer = events[0].started.user_message, events[-1].finished.message
    regenerate = chat_pb2.RegenerateMessageRequest(name=answer.name)
    _ = [event async for event in person.stub.RegenerateMessage(regenerate, metadata=person.metadata)]
    marked = chat_pb2.Message(name=answer.name, pinned=True, reaction=chat_pb2.REACTION_DISLIKE, text="I say!")
    mark = chat_pb2.UpdateMessageRequest(message=marked)
    mark.update_mask.paths.extend(["pinned", "reaction", "text"])
    await person.stub.UpdateMessage(mark, metadata=person.metadata)
    rewrite = chat_pb2.RewriteMessageRequest(name=question.name, text="See?")
    _ = [event async for event in person.stub.RewriteMessage(rewrite, metadata=person.metadata)]
    fake.script(*(Behaviour(status=400) for _ in range(12)))
    await person.turn(parent, "Go on.")
    away = chat_pb2.UpdateConversationRequest(conversation=chat_pb2.Conversation(name=parent, archived=True))
    away.update_mask.paths.append("archived")
    await person.stub.UpdateConversation(away, metadata=person.metadata)
    return Whole(parent, [mira, SHERLOCK])


async def test_everything_is_there_again_for_whoever_took_it_out(alices: Archivist, whole: Whole) -> None:
    before = (await alices.export(whole.name))[1]
    taken = await alices.take(OURS, before)
    (copy,) = taken.conversations
    after = (await alices.export(copy.name))[1]
    said = json.loads(before)["messages"]
    told = {key for one in said for key in one}
    assert told >= {"media", "next", "usage", "log", "edited_at", "pinned", "reaction", "failure", "finish", "parent"}
    assert len(json.loads(before)["media"]) == 2
    assert json.loads(after)["media"] == json.loads(before)["media"]
    assert placed(after) == placed(before)
    assert await alices.told(copy.name) == await alices.told(whole.name)
    assert (list(taken.skipped), taken.media_left_behind) == ([], 0)


async def test_everything_is_there_again_for_somebody_else(alices: Archivist, whole: Whole, first: Replica) -> None:
    before = (await alices.export(whole.name))[1]
    bobs = Archivist(first, "bob")
    (copy,) = (await bobs.take(OURS, before)).conversations
    after = (await bobs.export(copy.name))[1]
    mira = await Author(first, "bob").get(copy.character)
    renamed = before.replace(whole.cast[0].encode(), copy.character.encode())
    assert placed(after) == placed(renamed)
    assert (mira.display_name, mira.persona, copy.character == whole.cast[0]) == (
        "Mira",
        "A keeper of lamps.\nSays little.",
        False,
    )


async def test_a_file_opened_twice_makes_its_characters_and_its_images_once(
    alices: Archivist, whole: Whole, first: Replica
) -> None:
    file, bobs = (await alices.export(whole.name))[1], Archivist(first, "bob")
    one, other = [(await bobs.take(OURS, file)).conversations[0] for _ in range(2)]
    exported = [json.loads((await bobs.export(copy.name))[1]) for copy in (one, other)]
    assert one.name != other.name
    assert one.character == other.character
    assert exported[0]["media"] == exported[1]["media"]


async def test_what_a_conversation_was_forked_from_is_known_to_whoever_has_that(
    alices: Archivist, first: Replica
) -> None:
    person = alices.person
    source = await opened(person)
    said = (await person.turn(source))[-1].message
    fork = await person.stub.ForkConversation(chat_pb2.ForkConversationRequest(name=said), metadata=person.metadata)
    file = (await alices.export(fork.name))[1]
    mine = (await alices.take(OURS, file)).conversations[0]
    theirs = (await Archivist(first, "bob").take(OURS, file)).conversations[0]
    assert (fork.forked_from, mine.forked_from, theirs.forked_from) == (source, source, "")


def noise(seed: int) -> bytes:
    """An image of some 1.3 MB, which cannot be made smaller."""
    written = BytesIO()
    Image.frombytes("RGB", (650, 650), Random(seed).randbytes(650 * 650 * 3)).save(written, "PNG")
    return written.getvalue()


async def listed(archivist: Archivist) -> list[chat_pb2.Conversation]:
    request = chat_pb2.ListConversationsRequest()
    return list(
        (await archivist.person.stub.ListConversations(request, metadata=archivist.person.metadata)).conversations
    )


def showing_one(content: bytes, name: str = UUID_1) -> bytes:
    """A file in which a person shows one image."""
    said = {"name": "a", "role": "user", "state": "complete", "text": "Look!", "media": [name]}
    media = [{"name": name, "content": b64encode(content).decode()}]
    told = {"format": "scenemesh.conversation", "version": 1, "title": "T", "character": SHERLOCK}
    return json.dumps({**told, "messages": [said], "media": media}).encode()


async def shown(archivist: Archivist, conversation: str) -> list[str]:
    (message,) = await archivist.person.messages(conversation)
    return list(message.media)


@pytest.mark.parametrize("content", [b"", b"no image", recording(), picture()[:60], claimed(9_000, 10)])
async def test_what_is_no_image_is_left_behind(alices: Archivist, content: bytes) -> None:
    taken = await alices.take(OURS, showing_one(content))
    assert (taken.media_left_behind, await shown(alices, taken.conversations[0].name)) == (1, [])


async def test_an_image_of_a_file_is_kept_without_what_it_told_beside_its_pixels(
    alices: Archivist, first: Replica
) -> None:
    taken = await alices.take(OURS, showing_one(photograph("JPEG")))
    (name,) = await shown(alices, taken.conversations[0].name)
    kept = await owner(first).get(name)
    assert (kept.content_type, MAKER.encode() in kept.data) == ("image/jpeg", False)


async def test_somebody_elses_image_cannot_be_had_by_its_name(alices: Archivist, first: Replica) -> None:
    name = (await owner(first, "bob").keep(picture())).name
    taken = await alices.take(OURS, showing_one(b"", name.removeprefix("media/")))
    assert (taken.media_left_behind, await shown(alices, taken.conversations[0].name)) == (1, [])


async def test_a_file_decodes_so_many_pixels_at_most(alices: Archivist, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.chat_svc.archive.album.PIXELS_MAX", 40 * 20 + 1)
    files = [
        showing_one(picture(colour=one), f"00000000-0000-4000-8000-00000000000{n}") for n, one in enumerate(COLOURS)
    ]
    taken = await alices.take(OURS, b"[" + b",".join(files) + b"]")
    assert (taken.media_left_behind, len(taken.conversations)) == (len(COLOURS) - 1, len(COLOURS))


async def test_a_conversation_whose_images_are_too_much_is_skipped_with_what_to_do(
    alices: Archivist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chat_svc.store.media.MEDIA_MAX", 1)
    files = [
        showing_one(picture(colour=one), f"00000000-0000-4000-8000-00000000000{n}") for n, one in enumerate(COLOURS)
    ]
    taken = await alices.take(OURS, b"[" + b",".join(files) + b"]")
    assert (len(taken.conversations), [one.place for one in taken.skipped]) == (1, [2, 3])
    assert taken.skipped[0].reason.startswith("You keep 1 images and recordings, or 200 MiB, already")
    assert len(await listed(alices)) == 1


async def test_images_that_do_not_fit_into_the_file_are_named_and_stay_with_their_person(
    alices: Archivist, first: Replica
) -> None:
    names = [(await owner(first).keep(noise(seed))).name for seed in (1, 2)]
    parent = await opened(alices.person)
    await showing(alices.person, parent, names)
    file = (await alices.export(parent))[1]
    told = json.loads(file)["media"]
    mine = (await alices.take(OURS, file)).conversations[0]
    bobs = Archivist(first, "bob")
    theirs = await bobs.take(OURS, file)
    assert [(one["name"], "content" in one) for one in told] == [
        (names[0].removeprefix("media/"), False),
        (names[1].removeprefix("media/"), True),
    ]
    assert list((await alices.person.messages(mine.name))[0].media) == names
    assert (theirs.media_left_behind, len((await bobs.person.messages(theirs.conversations[0].name))[0].media)) == (
        1,
        1,
    )
