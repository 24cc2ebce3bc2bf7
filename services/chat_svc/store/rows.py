"""Rows as values, and values as rows."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple
from typing import TypeVar

import asyncpg
import structlog
from pydantic import TypeAdapter

from services.chat_svc.domain.conversation import Conversation, Message, Reaction, Role, State
from services.chat_svc.domain.entry import from_json
from services.chat_svc.domain.fault import FailureReason, Fault
from services.chat_svc.domain.group import Group, TurnOrder
from services.chat_svc.domain.handover import Handover
from services.chat_svc.domain.outcome import Attempt, FinishReason, Spent, Usage

log = structlog.get_logger()

HANDOVER = TypeAdapter(Handover)

Value = TypeVar("Value")


def readable(taken: Sequence[asyncpg.Record], read: Callable[[asyncpg.Record], Value]) -> list[Value]:
    """What the messages among these rows are that can be read: one that a newer version wrote holds up no other."""
    values = []
    for row in taken:
        try:
            values.append(read(row))
        except (KeyError, TypeError, ValueError) as error:
            log.error("message cannot be read", message=str(row["id"]), error=str(error))
    return values


def conversation(row: asyncpg.Record) -> Conversation:
    return Conversation(
        user=row["user_id"],
        id=row["id"],
        character=row["character"],
        display_name=row["display_name"],
        message_count=row["message_count"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        others=tuple(row["others"]),
        group=_group(row["turn_taking"]),
        archived=row["archived"],
        current=row["current_id"],
        summary=row["summary"],
        summary_until=row["summary_until"],
        forked_from=row["forked_from"],
        token_count=row["token_count"],
        titled=row["titled"],
    )


def _group(kept: str | None) -> Group | None:
    if kept is None:
        return None
    values = json.loads(kept)
    return Group(**{**values, "turn_order": TurnOrder(values["turn_order"])})


def turn_taking(group: Group | None) -> str | None:
    """A group's settings as a column keeps them."""
    return None if group is None else json.dumps({**asdict(group), "turn_order": group.turn_order.value})


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
        parent=row["parent_id"],
        character=row["character"],
        media=tuple(row["media"]),
        pinned=row["pinned"],
        reaction=Reaction(row["reaction"]) if row["reaction"] else None,
        edited_at=row["edited_at"],
        sibling=row.get("sibling", 1),
        siblings=row.get("siblings", 1),
        next=row["next_id"],
        model=row["model"],
        log=tuple(from_json(entry) for entry in json.loads(row["log"])),
        usage=_usage(row),
        finish=FinishReason(row["finish_reason"]) if row["finish_reason"] else None,
        failure=FailureReason(row["failure_reason"]) if row["failure_reason"] else None,
        charged=row["charged"],
        remaining=row["remaining"],
        unpaid=not row["hold_resolved"],
        unmirrored=row["unmirrored"],
        hold=row["hold"],
        meter=row["meter"],
        price=row["price"],
        images=row["images"],
        images_meter=row["images_meter"],
        prompt_tokens=row["prompt_tokens"],
        spent=_spent(row),
    )


def _usage(row: asyncpg.Record) -> Usage | None:
    if row["input_tokens"] is None:
        return None
    return Usage(row["input_tokens"], row["output_tokens"], row["usage_estimated"], row["cached_tokens"])


def _spent(row: asyncpg.Record) -> Spent:
    attempts = tuple(
        Attempt(
            one["model"],
            Fault(one["fault"]) if one["fault"] else None,
            Usage(*one["usage"]) if one["usage"] else None,
            one["first_word_seconds"],
        )
        for one in json.loads(row["attempts"])
    )
    return Spent(attempts, row["cost"])


def attempts(spent: Spent) -> str:
    """The attempts as a column keeps them."""
    return json.dumps(
        [
            {
                "model": one.model,
                "fault": one.fault.value if one.fault else None,
                "usage": astuple(one.usage) if one.usage else None,
                "first_word_seconds": one.first_word_seconds,
            }
            for one in spent.attempts
        ]
    )


def handover(row: asyncpg.Record) -> Handover:
    return HANDOVER.validate_json(row["handed_over"])


def handed_over(handover: Handover) -> str:
    """What a process leaves to the next one, as a column keeps it."""
    return HANDOVER.dump_json(handover).decode()
