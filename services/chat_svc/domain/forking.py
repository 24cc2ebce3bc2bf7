"""Conversations that begin with what was said in another one."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.chat_svc.domain.conversation import Conversation


@dataclass(frozen=True)
class Fork:
    """What is to be taken along: all that was said up to `message`, on its branch or on every branch.

    `id` is the new conversation's; an empty `display_name` keeps the title of the old one.
    """

    id: UUID
    message: UUID
    all_branches: bool
    display_name: str
    at: datetime


def fork_id(source: UUID, request_id: str, random: UUID) -> UUID:
    """The id of a fork: the same for a retry with the same `request_id`, `random` without one."""
    return uuid.uuid5(source, f"fork {request_id.lower()}") if request_id else random


def copy_id(fork: UUID, original: UUID) -> UUID:
    """The id in a fork of what is `original` in the conversation that it was forked from."""
    return uuid.uuid5(fork, str(original))


def forked(source: Conversation, fork: Fork, taken: frozenset[UUID], tokens: int) -> Conversation:
    """The new conversation, of the messages `taken`; the summary comes along where all that it covers does."""
    summarised = source.summary_until is not None and source.summary_until in taken
    return replace(
        source,
        id=fork.id,
        display_name=fork.display_name or source.display_name,
        titled=source.titled or fork.display_name != "",
        message_count=len(taken),
        created_at=fork.at,
        updated_at=fork.at,
        archived=False,
        current=copy_id(fork.id, fork.message),
        summary=source.summary if summarised else "",
        summary_until=copy_id(fork.id, source.summary_until) if summarised and source.summary_until else None,
        forked_from=source.id,
        token_count=tokens,
    )
