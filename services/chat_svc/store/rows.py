"""Rows as values."""

import asyncpg

from services.chat_svc.domain.conversation import (
    Conversation,
    FailureReason,
    FinishReason,
    Message,
    Role,
    State,
    Usage,
)


def conversation(row: asyncpg.Record) -> Conversation:
    return Conversation(
        user=row["user_id"],
        id=row["id"],
        character=row["character"],
        display_name=row["display_name"],
        message_count=row["message_count"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def message(row: asyncpg.Record) -> Message:
    return Message(
        user=row["user_id"],
        conversation=row["conversation_id"],
        id=row["id"],
        position=row["position"],
        role=Role(row["role"]),
        text=row["text"],
        state=State(row["state"]),
        created_at=row["created_at"],
        model=row["model"],
        delta_lengths=tuple(row["delta_lengths"]),
        usage=_usage(row),
        finish=FinishReason(row["finish_reason"]) if row["finish_reason"] else None,
        failure=FailureReason(row["failure_reason"]) if row["failure_reason"] else None,
        charged=row["charged"],
        hold=row["hold"],
        meter=row["meter"],
        price=row["price"],
        prompt_tokens=row["prompt_tokens"],
    )


def _usage(row: asyncpg.Record) -> Usage | None:
    if row["input_tokens"] is None:
        return None
    return Usage(row["input_tokens"], row["output_tokens"], row["usage_estimated"])
