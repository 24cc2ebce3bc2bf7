"""Files as conversations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid5

from runtime.errors import NotFound
from services.chat_svc.announcing import Announcing
from services.chat_svc.archive import libre_chat, open_web_ui, ours, silly_tavern
from services.chat_svc.archive.story import Line, Story, Told, Untold
from services.chat_svc.domain.archive import Format, Imported, Skipped
from services.chat_svc.domain.conversation import Conversation, Message, Role, named
from services.chat_svc.domain.entry import Began, Said
from services.chat_svc.domain.group import seeded
from services.chat_svc.domain.outcome import FinishReason
from services.chat_svc.domain.prompt import Persona
from services.chat_svc.scenes.characters import Characters
from services.chat_svc.store.messages import PINS_MAX
from services.chat_svc.store.told import Told as Opened

READERS: dict[Format, Callable[[bytes], Told]] = {
    Format.JSON: ours.read,
    Format.SILLY_TAVERN: silly_tavern.read,
    Format.LIBRE_CHAT: libre_chat.read,
    Format.OPEN_WEB_UI: open_web_ui.read,
}


class Importing:
    """`clock` gives the present in UTC."""

    def __init__(
        self, opened: Opened, characters: Characters, announcing: Announcing, clock: Callable[[], datetime]
    ) -> None:
        self._opened = opened
        self._characters = characters
        self._announcing = announcing
        self._clock = clock

    async def take(self, user: str, content: bytes, kind: Format, character: str, request: UUID) -> Imported:
        """Opens what a file holds; `character` is whom the person talked to where the file does not say.

        The same `request` opens the same conversations. INVALID_ARGUMENT for a file that is none of its kind.
        """
        conversations: list[Conversation] = []
        skipped: list[Skipped] = []
        stories = await asyncio.to_thread(READERS[kind], content)
        for place, story in enumerate(stories, 1):
            try:
                if isinstance(story, Untold):
                    raise story
                conversations.append(await self._open(user, story, character, uuid5(request, f"{user}/{place}")))
            except Untold as error:
                skipped.append(Skipped(place, error.title, error.why))
        return Imported(tuple(conversations), tuple(skipped))

    async def _open(self, user: str, story: Story, character: str, identifier: UUID) -> Conversation:
        conversation = await self._conversation(user, story, character, identifier)
        messages = [_message(conversation, line, position) for position, line in enumerate(story.lines, 1)]
        if sum(one.pinned for one in messages) > PINS_MAX:
            raise Untold(story.title, f"It has more than {PINS_MAX} pinned messages.")
        return await self._opened.add(conversation, messages, self._announcing.opened(conversation))

    async def _conversation(self, user: str, story: Story, character: str, identifier: UUID) -> Conversation:
        cast = [story.character, *story.others] if story.character else [character]
        try:
            personas = [await self._characters.persona(user, one) for one in _checked(cast, story.title)]
        except NotFound:
            if story.others:
                raise Untold(story.title, "One of its characters is not known here.") from None
            if not character:
                raise Untold(story.title, "Its character is not known here: say with `character` who it is.") from None
            cast = [character]
            personas = [await self._known(user, character, story.title)]
        now = self._clock()
        conversation = Conversation(
            user,
            identifier,
            cast[0],
            story.title,
            len(story.lines),
            created_at=min(story.created_at or now, now),
            updated_at=now,
            others=tuple(cast[1:]),
            group=seeded(story.group, identifier) if story.group else None,
            archived=story.archived,
            current=_id(identifier, story.current),
            summary=story.summary,
            summary_until=_id(identifier, story.summary_until),
            titled=story.titled and story.title != "",
        )
        return named(conversation, [one.display_name for one in personas])

    async def _known(self, user: str, character: str, title: str) -> Persona:
        try:
            return await self._characters.persona(user, character)
        except NotFound:
            raise Untold(title, "The character that you name is not known here.") from None


def _checked(cast: list[str], title: str) -> list[str]:
    if not cast[0]:
        raise Untold(title, "It names no character of ours: say with `character` whom it is with.")
    if len(cast) > 8 or len(set(cast)) < len(cast):
        raise Untold(title, "It has more than 8 characters, or one of them twice.")
    return cast


def _message(conversation: Conversation, line: Line, position: int) -> Message:
    known = line.character if line.character in conversation.cast else conversation.character
    speaker = "" if line.by_person else known
    entries = (Began(line.model), Said(line.text)) if line.text else (Began(line.model),)
    return Message(
        conversation.user,
        conversation.id,
        _given(conversation.id, line.key),
        position,
        Role.USER if line.by_person else Role.CHARACTER,
        line.text,
        line.state,
        line.at or conversation.created_at,
        parent=_id(conversation.id, line.parent),
        character=speaker,
        pinned=line.pinned,
        reaction=line.reaction,
        edited_at=line.edited_at,
        model="" if line.by_person else line.model,
        log=() if line.by_person else entries,
        finish=_finish(line),
        failure=line.failure,
    )


def _finish(line: Line) -> FinishReason | None:
    return None if line.by_person or line.failure else line.finish or FinishReason.STOP


def _given(conversation: UUID, key: str) -> UUID:
    """The id of a line: the same whenever its file is read for the same conversation."""
    return uuid5(conversation, key)


def _id(conversation: UUID, key: str | None) -> UUID | None:
    return _given(conversation, key) if key is not None else None
