"""Conversations as files."""

from __future__ import annotations

import asyncio
from uuid import UUID

from runtime.errors import FailedPrecondition, NotFound
from services.chat_svc.answering.watching import Watching
from services.chat_svc.archive.printing import Printer, too_long
from services.chat_svc.archive.readable import markdown, plain, sheet, spoken
from services.chat_svc.archive.sources import Sources
from services.chat_svc.archive.writing import fitting, illustrated, written
from services.chat_svc.domain.archive import File, Kind
from services.chat_svc.domain.character import CustomCharacter, custom_id
from services.chat_svc.domain.conversation import Conversation, Message
from services.chat_svc.store import Conversations, Messages

FILE_BYTES_MAX = 3 * 1024 * 1024
PAGE_MESSAGES = 500


class Exporting:
    """Reads; changes nothing. What is to be printed, `printer` prints."""

    def __init__(
        self,
        conversations: Conversations,
        messages: Messages,
        sources: Sources,
        watching: Watching,
        printer: Printer,
    ) -> None:
        self._conversations = conversations
        self._messages = messages
        self._sources = sources
        self._watching = watching
        self._printer = printer

    async def export(self, user: str, conversation_id: UUID, kind: Kind) -> File:
        """One of the user's conversations as a file; FAILED_PRECONDITION for one that would be too large."""
        conversation = await self._conversations.conversation(user, conversation_id)
        messages = await self._all(conversation, kind)
        content = await self._written(conversation, messages, kind)
        if len(content) > FILE_BYTES_MAX:
            raise too_long() if kind is Kind.PDF else _too_large(kind)
        return File(kind.value, content)

    async def _written(self, conversation: Conversation, messages: list[Message], kind: Kind) -> bytes:
        if kind is Kind.JSON:
            return await self._told(conversation, messages)
        names = await self._sources.characters.remembered_names(conversation.user, conversation.cast)
        said = list(spoken(messages))
        match kind:
            case Kind.MARKDOWN:
                return await asyncio.to_thread(markdown, conversation, said, names)
            case Kind.TEXT:
                return await asyncio.to_thread(plain, conversation, said, names)
            case Kind.PDF:
                return await self._printer.print(conversation.user, sheet(conversation, said, names))

    async def _told(self, conversation: Conversation, messages: list[Message]) -> bytes:
        """Our own file, with as many of its images as there is room for, the newest first."""
        user = conversation.user
        own = [await self._made(user, one) for one in conversation.cast]
        # Megabytes of JSON take as long as many pieces of answers that are waiting meanwhile.
        file = await asyncio.to_thread(written, conversation, messages, [one for one in own if one is not None])
        shown = list(dict.fromkeys(media for one in messages for media in one.media))
        sizes = await self._sources.media.sizes(user, shown) if shown else {}
        kept = [one for one in shown if one in sizes]
        chosen = fitting(FILE_BYTES_MAX - len(file), {one: sizes[one].size_bytes for one in kept}, reversed(kept))
        contents = {one.id: one.content for one in await self._sources.media.several(user, chosen)} if chosen else {}
        types = {one: (sizes[one].content_type, sizes[one].size_bytes) for one in kept}
        return await asyncio.to_thread(illustrated, file, types, contents)

    async def _made(self, user: str, character: str) -> CustomCharacter | None:
        """A character that the person made up; None for one of the catalogue's, or one that is no more."""
        identifier = custom_id(character)
        try:
            return await self._sources.custom.get(user, identifier) if identifier is not None else None
        except NotFound:
            return None

    async def _all(self, conversation: Conversation, kind: Kind) -> list[Message]:
        user, identifier, leaf = conversation.user, conversation.id, conversation.current
        found: list[Message] = []
        size = 0
        while True:
            after = found[-1].position if found else 0
            if kind is not Kind.JSON:
                page = await self._messages.branch_page(user, identifier, leaf, after, PAGE_MESSAGES, pinned=False)
            else:
                page = await self._messages.page(user, identifier, after, PAGE_MESSAGES, pinned=False)
            found += [await self._watching.so_far(one) for one in page]
            size += sum(len(one.text) for one in page)
            if size > FILE_BYTES_MAX:
                raise _too_large(kind)
            if len(page) < PAGE_MESSAGES:
                return found


def _too_large(kind: Kind) -> FailedPrecondition:
    if kind is Kind.JSON:
        told = "The conversation is too long for one file. As Markdown or text, it has its chosen branch alone."
    else:
        told = "The chosen branch is too long for one file."
    return FailedPrecondition(f"{told} ListMessages gives all that was said, page by page.", reason="TOO_LARGE")
