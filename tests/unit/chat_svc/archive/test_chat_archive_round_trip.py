"""Whatever a conversation is, our own file makes the same one of it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenemesh.chat.v1 import character_pb2, chat_pb2
from services.chat_svc.archive import ours
from services.chat_svc.archive.casting import Cast
from services.chat_svc.archive.retelling import conversation, messages
from services.chat_svc.archive.story import Made, Story, Untold
from services.chat_svc.archive.writing import fitting, illustrated, written
from services.chat_svc.domain.character import CustomCharacter
from services.chat_svc.domain.conversation import Conversation, Message, Reaction, Role, State
from services.chat_svc.domain.entry import Began, Entry, Said, Seam, SeamMode, text_of
from services.chat_svc.domain.fault import FailureReason, Fault
from services.chat_svc.domain.group import Group, TurnOrder
from services.chat_svc.domain.outcome import FinishReason, Usage

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HERE, THERE = UUID(int=1), UUID(int=2)
OWN = f"customCharacters/{UUID(int=9)}"
CAST = ("characters/sherlock-holmes", OWN, "characters/john-watson")

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
NAMED = TEXTS.filter(bool)
MOMENTS = st.integers(0, 10**10).map(lambda passed: NOON - timedelta(microseconds=passed))
USAGES = st.builds(Usage, *(st.integers(0, 5_000),) * 2, st.booleans(), st.integers(0, 9))


@st.composite
def logs(draw: Callable[..., Any]) -> tuple[Entry, ...]:
    """What an answer came in: one model, or several that went on for each other."""
    entries: list[Entry] = [Began(draw(TEXTS))]
    for _ in range(draw(st.integers(0, 2))):
        entries += [Said(one) for one in draw(st.lists(NAMED, max_size=2))]
        kept = draw(st.integers(0, len(text_of(entries))))
        entries.append(
            Seam(draw(TEXTS), draw(TEXTS), draw(st.sampled_from(Fault)), draw(st.sampled_from(SeamMode)), kept)
        )
    return (*entries, *(Said(one) for one in draw(st.lists(NAMED, max_size=2))))


@st.composite
def lines(draw: Callable[..., Any]) -> list[Message]:
    """Messages, each said after any one of those before it, or after none."""
    said: list[Message] = []
    for number in range(draw(st.integers(0, 6))):
        parent = draw(st.sampled_from([None, *said]))
        told: dict[str, Any] = {"parent": parent.id if parent else None}
        if draw(st.booleans()):
            told |= {"role": Role.USER, "state": State.COMPLETE, "text": draw(TEXTS)}
            told["media"] = tuple(draw(st.lists(st.uuids(), max_size=4, unique=True)))
        else:
            log, failure = draw(logs()), draw(st.none() | st.sampled_from(FailureReason))
            told |= {"role": Role.CHARACTER, "character": draw(st.sampled_from(CAST)), "log": log}
            told |= {"text": text_of(log), "model": draw(TEXTS), "usage": draw(st.none() | USAGES), "failure": failure}
            told["state"] = State.FAILED if failure else State.COMPLETE
            told["finish"] = None if failure else draw(st.sampled_from(FinishReason))
        marks = {"pinned": draw(st.booleans()), "reaction": draw(st.none() | st.sampled_from(Reaction))}
        when = {"created_at": draw(MOMENTS), "edited_at": draw(st.none() | MOMENTS)}
        one = Message("alice", HERE, UUID(int=100 + number), number + 1, **told, **marks, **when)
        said.append(one)
    return [_followed(one, said, draw(st.booleans())) for one in said]


def _followed(one: Message, said: list[Message], follows: bool) -> Message:
    after = next((other.id for other in said if other.parent == one.id and other.role is Role.CHARACTER), None)
    is_answer = one.role is Role.CHARACTER
    return Message(**{**vars(one), "next": after if follows and is_answer else None})


@st.composite
def talks(draw: Callable[..., Any]) -> tuple[Conversation, list[Message]]:
    said = draw(lines())
    places = st.none() if not said else st.sampled_from([one.id for one in said])
    created_at, until = draw(MOMENTS), draw(st.none() | places)
    group = Group(
        draw(st.sampled_from(TurnOrder)),
        draw(st.dictionaries(st.sampled_from(CAST), st.integers(0, 100))),
        draw(st.integers(1, 8)),
        draw(st.integers(1, 100)),
        draw(st.booleans()),
        draw(st.integers(0, 10)),
        draw(st.integers(1, 2**63 - 1)),
    )
    talk = Conversation(
        "alice",
        HERE,
        CAST[0],
        draw(NAMED),
        len(said),
        created_at,
        draw(st.integers(0, 9).map(lambda passed: min(NOON, created_at + timedelta(seconds=passed)))),
        others=CAST[1:],
        group=group,
        archived=draw(st.booleans()),
        current=draw(places),
        summary=draw(TEXTS) if until else "",
        summary_until=until,
        forked_from=draw(st.none() | st.uuids()),
        token_count=sum(one.usage.input_tokens + one.usage.output_tokens for one in said if one.usage),
        titled=draw(st.booleans()),
    )
    return talk, said


def again(file: bytes) -> tuple[Conversation, list[Message]]:
    """What bob gets of a file, where everybody and every image is known to him."""
    (story,) = ours.read(file)
    assert isinstance(story, Story), story.why
    cast = Cast({OWN if one == OWN else one: "Somebody" for one in CAST}, {})
    opened = conversation("bob", story, THERE, cast, NOON)
    shown = {media: media for one in story.lines for media in one.media}
    return opened, messages(opened, story, cast, shown)


# What every one of a message's fields is to a file: kept; a name, which is another one elsewhere; or left behind, since
# it is of this installation or is counted anew.
KEPT = {"position", "role", "text", "state", "created_at", "character", "media", "pinned", "reaction", "edited_at"}
KEPT |= {"model", "usage", "finish", "failure"}
NAMES = {"id", "parent", "next"}
LEFT = {"user", "conversation", "sibling", "siblings", "unpaid", "unmirrored", "prompt_tokens", "spent"}
LEFT |= {"charged", "remaining", "hold", "meter", "price", "images", "images_meter"}
OF_TALK = {"user", "id", "current", "summary_until"}


def told(said: Sequence[Message]) -> list[dict[str, Any]]:
    """What is to survive of messages, which name each other by their places."""
    places = {one.id: place for place, one in enumerate(said)}
    return [
        {key: getattr(one, key) for key in KEPT}
        | {key: places.get(getattr(one, key)) for key in NAMES}
        # One that comes from one model alone has no more in it than the text and the model.
        | {"log": list(joined(one.log)) if any(isinstance(entry, Seam) for entry in one.log) else None}
        for one in said
    ]


def told_of(talk: Conversation, said: Sequence[Message]) -> dict[str, Any]:
    """What is to survive of a conversation beside its messages."""
    places = {one.id: place for place, one in enumerate(said)}
    kept = {key: value for key, value in vars(talk).items() if key not in OF_TALK}
    return kept | {"current": _place(talk.current, places), "summary_until": _place(talk.summary_until, places)}


def joined(log: Sequence[Entry]) -> Iterator[Entry]:
    """The entries, with what is said one after the other in one piece."""
    for is_said, found in groupby(log, key=lambda entry: isinstance(entry, Said)):
        entries = tuple(found)
        yield from [Said(text_of(entries))] if is_said else entries


def _place(identifier: UUID | None, places: Mapping[UUID, int]) -> int | None:
    return None if identifier is None else places[identifier]


def test_of_every_field_of_a_message_it_is_known_whether_it_survives() -> None:
    assert {one.name for one in fields(Message)} == KEPT | NAMES | LEFT | {"log"}


@given(talks())
def test_what_is_taken_out_and_in_is_the_same(said: tuple[Conversation, list[Message]]) -> None:
    talk, before = said
    opened, after = again(written(talk, before))
    assert told(after) == told(before)
    assert told_of(opened, after) == told_of(talk, before)


def test_what_an_answer_came_in_is_taken_along_where_another_model_went_on() -> None:
    log = (Began("a"), Said("I "), Said("am"), Seam("a", "b", Fault.CUT, SeamMode.CONTINUED, 3), Said("was"))
    answer = Message(
        "alice",
        HERE,
        UUID(int=3),
        1,
        Role.CHARACTER,
        "I am"[:3] + "was",
        State.COMPLETE,
        NOON,
        character=CAST[0],
        log=log,
        finish=FinishReason.STOP,
    )
    talk = Conversation("alice", HERE, CAST[0], "Talk", 1, NOON, NOON, others=CAST[1:], group=Group(seed=1))
    _, (taken,) = again(written(talk, [answer]))
    assert taken.log == (Began("a"), Said("I am"), *log[3:])


def test_a_log_that_says_something_else_than_its_text_is_left_out() -> None:
    line = {
        "name": "a",
        "role": "character",
        "state": "complete",
        "text": "I am.",
        "log": [{"began": "a"}, {"said": "No"}],
    }
    told = {"format": "scenemesh.conversation", "version": 1, "title": "T", "messages": [line]}
    (story,) = ours.read(json.dumps(told).encode())
    assert isinstance(story, Story)
    assert story.lines[0].log == ()


@pytest.mark.parametrize(("version", "told"), [(2, "2"), ("2" * 1_000_000, "'" + "2" * 39)])
def test_another_version_is_told_and_not_all_that_it_says(version: object, told: str) -> None:
    (refused,) = ours.read(json.dumps({"format": "scenemesh.conversation", "version": version, "title": "T"}).encode())
    assert isinstance(refused, Untold)
    assert (refused.title, refused.why) == ("T", f"It is of version {told}, and we read version 1.")


def test_a_round_that_would_lead_in_a_circle_ends() -> None:
    answer = {"role": "character", "state": "complete", "text": "Well.", "character": CAST[0]}
    said = [{**answer, "name": "a", "next": "b"}, {**answer, "name": "b", "parent": "a", "next": "a"}]
    told = {"format": "scenemesh.conversation", "version": 1, "title": "T", "character": CAST[0], "messages": said}
    _, (first, second) = again(json.dumps(told).encode())
    assert (first.next, second.next) == (second.id, None)


def test_a_file_tells_who_a_character_of_its_persons_own_is() -> None:
    own = CustomCharacter("alice", UUID(int=9), "Mira", "At sea", "A captain.", "Ahoy!", NOON, NOON)
    talk = Conversation("alice", HERE, OWN, "Talk", 0, NOON, NOON)
    (story,) = ours.read(written(talk, [], [own]))
    assert isinstance(story, Story)
    assert story.made == {OWN: Made("Mira", "At sea", "A captain.", "Ahoy!")}


def test_a_character_may_be_as_much_as_the_contract_says() -> None:
    fields = character_pb2.CustomCharacter.DESCRIPTOR.fields_by_name
    told = {name: _max(str(fields[name].GetOptions())) for name in ours.MADE_CHARACTERS_MAX}
    assert told == ours.MADE_CHARACTERS_MAX
    shown = chat_pb2.SendMessageRequest.DESCRIPTOR.fields_by_name["media"].GetOptions()
    assert f"max_items: {ours.SHOWN_MAX}" in str(shown)


def _max(options: str) -> int:
    return int(options.partition("max_len: ")[2].partition("\n")[0])


def test_images_are_told_where_there_is_room_and_named_where_there_is_none() -> None:
    shown = (UUID(int=5), UUID(int=6))
    asked = Message("alice", HERE, UUID(int=2), 1, Role.USER, "Look!", State.COMPLETE, NOON, media=shown)
    talk = Conversation("alice", HERE, CAST[0], "Talk", 1, NOON, NOON)
    file = illustrated(written(talk, [asked]), dict.fromkeys(shown, ("image/png", 3)), {shown[0]: b"abc"})
    told = json.loads(file)["media"]
    (story,) = ours.read(file)
    assert isinstance(story, Story)
    assert (story.lines[0].media, story.pictures) == (shown, {shown[0]: b"abc", shown[1]: b""})
    assert told == [
        {"name": str(shown[0]), "content_type": "image/png", "size_bytes": 3, "content": "YWJj"},
        {"name": str(shown[1]), "content_type": "image/png", "size_bytes": 3},
    ]


def test_the_newest_images_that_fit_are_taken_along() -> None:
    old, large, new = UUID(int=1), UUID(int=2), UUID(int=3)
    sizes = {old: 30, large: 3_000, new: 60}
    assert fitting(720, sizes, (new, large, old)) == [new, old]
    assert fitting(719, sizes, (new, large, old)) == [new]
    assert fitting(10, sizes, (new, large, old)) == []
