"""A story of a file as a conversation of ours and its messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid5

from services.chat_svc.archive.casting import Cast
from services.chat_svc.archive.story import Line, Story
from services.chat_svc.domain.conversation import Conversation, Message, Role, named
from services.chat_svc.domain.entry import Began, Entry, Said
from services.chat_svc.domain.group import Group, seeded
from services.chat_svc.domain.outcome import FinishReason


def conversation(user: str, story: Story, identifier: UUID, cast: Cast, now: datetime) -> Conversation:
    """The conversation that a story becomes; what it tells of the future is of now."""
    character, *others = cast.characters
    created_at = min(story.created_at or now, now)
    opened = Conversation(
        user,
        identifier,
        character,
        story.title,
        len(story.lines),
        created_at=created_at,
        updated_at=max(created_at, min(story.updated_at or now, now)),
        others=tuple(others),
        group=seeded(_group(story.group, cast), identifier) if story.group else None,
        archived=story.archived,
        current=_id(identifier, story.current),
        summary=story.summary,
        summary_until=_id(identifier, story.summary_until),
        forked_from=story.forked_from,
        token_count=sum(one.usage.input_tokens + one.usage.output_tokens for one in story.lines if one.usage),
        titled=story.titled and story.title != "",
    )
    return named(opened, list(cast.characters.values()))


def messages(opened: Conversation, story: Story, cast: Cast, media: Mapping[UUID, UUID]) -> list[Message]:
    """The messages, in the story's order; `media` are what its person keeps, by the names that the story has."""
    parents = {one.key: one.parent for one in story.lines}
    return [
        Message(
            opened.user,
            opened.id,
            _given(opened.id, line.key),
            position,
            Role.USER if line.by_person else Role.CHARACTER,
            line.text,
            line.state,
            line.at or opened.created_at,
            parent=_id(opened.id, line.parent),
            character=_speaker(opened, line, cast),
            media=tuple(media[one] for one in line.media if one in media),
            pinned=line.pinned,
            reaction=line.reaction,
            edited_at=line.edited_at,
            next=_follows(opened, line, parents),
            model="" if line.by_person else line.model,
            log=() if line.by_person else line.log or _log(line),
            usage=line.usage,
            finish=_finish(line),
            failure=line.failure,
        )
        for position, line in enumerate(story.lines, 1)
    ]


def _speaker(opened: Conversation, line: Line, cast: Cast) -> str:
    if line.by_person:
        return ""
    character = cast.name(line.character)
    return character if character in opened.cast else opened.character


def _follows(opened: Conversation, line: Line, parents: Mapping[str, str | None]) -> UUID | None:
    """A round goes on with what was said after the answer: anything else might lead in a circle."""
    goes_on = not line.by_person and line.next is not None and parents.get(line.next) == line.key
    return _id(opened.id, line.next) if goes_on else None


def _log(line: Line) -> tuple[Entry, ...]:
    return (Began(line.model), Said(line.text)) if line.text else (Began(line.model),)


def _finish(line: Line) -> FinishReason | None:
    return None if line.by_person or line.failure else line.finish or FinishReason.STOP


def _group(group: Group, cast: Cast) -> Group:
    return replace(group, talkativeness={cast.name(one): percent for one, percent in group.talkativeness.items()})


def _given(conversation: UUID, key: str) -> UUID:
    """The id of a line: the same whenever its file is read for the same conversation."""
    return uuid5(conversation, key)


def _id(conversation: UUID, key: str | None) -> UUID | None:
    return _given(conversation, key) if key is not None else None
