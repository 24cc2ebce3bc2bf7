"""Conversations as files."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

import structlog

from runtime.errors import FailedPrecondition, NotFound, Unavailable
from services.chat_svc.answering.watching import Watching
from services.chat_svc.archive.ours import written
from services.chat_svc.archive.pdf import pdf
from services.chat_svc.archive.readable import markdown, plain, spoken
from services.chat_svc.domain.archive import File, Kind
from services.chat_svc.domain.conversation import Conversation, Message
from services.chat_svc.scenes.characters import Characters
from services.chat_svc.store import Conversations, Messages

log = structlog.get_logger()

FILE_BYTES_MAX = 3 * 1024 * 1024
# What a page of messages to print takes is a tenth of a second of another process.
PDF_CHARACTERS_MAX = 500_000
PAGE_MESSAGES = 500


class Exporting:
    """Reads; changes nothing. What is to be printed, `printer` prints."""

    def __init__(
        self,
        conversations: Conversations,
        messages: Messages,
        characters: Characters,
        watching: Watching,
        printer: ProcessPoolExecutor,
    ) -> None:
        self._conversations = conversations
        self._messages = messages
        self._characters = characters
        self._watching = watching
        self._printer = printer

    async def export(self, user: str, conversation_id: UUID, kind: Kind) -> File:
        """One of the user's conversations as a file; FAILED_PRECONDITION for one that would be too large."""
        conversation = await self._conversations.conversation(user, conversation_id)
        messages = await self._all(conversation, kind)
        content = await self._written(conversation, messages, kind)
        if len(content) > FILE_BYTES_MAX:
            raise _too_large(kind)
        return File(kind.value, content)

    async def _written(self, conversation: Conversation, messages: list[Message], kind: Kind) -> bytes:
        if kind is Kind.JSON:
            return written(conversation, messages)
        names, said = await self._names(conversation), list(spoken(messages))
        match kind:
            case Kind.MARKDOWN:
                return markdown(conversation, said, names)
            case Kind.TEXT:
                return plain(conversation, said, names)
            case Kind.PDF:
                return await self._printed(conversation, said, names)

    async def _printed(self, conversation: Conversation, said: list[Message], names: Mapping[str, str]) -> bytes:
        if sum(len(one.text) + 100 for one in said) > PDF_CHARACTERS_MAX:
            raise _too_large(Kind.PDF)
        light = [replace(one, log=()) for one in said]
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._printer, pdf, conversation, light, names)
        except BrokenProcessPool as error:
            log.exception("the process that prints has died")
            raise Unavailable("Nothing can be printed just now.", reason="PRINTING_UNAVAILABLE") from error

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

    async def _names(self, conversation: Conversation) -> dict[str, str]:
        """What the characters are called; one that is no more, by its name."""
        names = {}
        for one in conversation.cast:
            try:
                names[one] = (await self._characters.persona(conversation.user, one)).display_name
            except NotFound:
                names[one] = one.partition("/")[2]
        return names


@asynccontextmanager
async def printing() -> AsyncIterator[ProcessPoolExecutor]:
    """A process that prints while the block runs, from the first file on: here it would hold up answers."""
    printer = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
    try:
        yield printer
    finally:
        await asyncio.to_thread(printer.shutdown, wait=True, cancel_futures=True)


def _too_large(kind: Kind) -> FailedPrecondition:
    instead = "export it as Markdown or text" if kind is Kind.PDF else "fork a part of it"
    return FailedPrecondition(f"The conversation is too long for one such file: {instead}.", reason="TOO_LARGE")
