"""Our own files, as they are written: everything of a conversation that is its person's, a line a message."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from services.chat_svc.domain.character import CustomCharacter
from services.chat_svc.domain.conversation import Conversation, Message
from services.chat_svc.domain.entry import Entry, Said, Seam, to_json
from services.chat_svc.domain.group import Group

FORMAT = "scenemesh.conversation"
VERSION = 1

# What one of the media takes in a file beside its bytes, at most.
NAMED_BYTES = 200


def written(conversation: Conversation, messages: Sequence[Message], own: Sequence[CustomCharacter] = ()) -> bytes:
    """The file of a conversation with all its messages and those of its characters that its person made up."""
    told = {
        "format": FORMAT,
        "version": VERSION,
        "title": conversation.display_name,
        "titled": conversation.titled,
        "character": conversation.character,
        "others": conversation.others,
        "group": _group(conversation.group),
        "archived": conversation.archived,
        "created_at": conversation.created_at.isoformat(),
        "updated_at": conversation.updated_at.isoformat(),
        "current": _name(conversation.current),
        "forked_from": _name(conversation.forked_from),
        "summary": conversation.summary,
        "summary_until": _name(conversation.summary_until),
    }
    fields = [f"{_json(key)}: {_json(value)}" for key, value in told.items()]
    fields.append(_rows("characters", (_character(one) for one in own)))
    fields.append(_rows("messages", (_message(one) for one in messages)))
    return ("{\n " + ",\n ".join(fields) + "\n}").encode()


def illustrated(file: bytes, types: Mapping[UUID, tuple[str, int]], contents: Mapping[UUID, bytes]) -> bytes:
    """The file with its media, by `types` their content types and sizes; those not among `contents` are only named."""
    media = (
        {
            "name": str(one),
            "content_type": kind,
            "size_bytes": size_bytes,
            **({"content": b64encode(contents[one]).decode()} if one in contents else {}),
        }
        for one, (kind, size_bytes) in types.items()
    )
    return file.removesuffix(b"\n}") + b",\n " + _rows("media", media).encode() + b"\n}" if types else file


def fitting(room_bytes: int, sizes: Mapping[UUID, int], newest_first: Iterable[UUID]) -> list[UUID]:
    """Those of the media that fit into a file in which there is so much room left, by their sizes in bytes."""
    left, found = room_bytes - NAMED_BYTES * len(sizes), []
    for one in newest_first:
        encoded = -(-sizes[one] // 3) * 4
        if encoded <= left:
            left -= encoded
            found.append(one)
    return found


def _rows(key: str, values: Iterable[Mapping[str, Any]]) -> str:
    rows = ",\n  ".join(_json(one) for one in values)
    return f"{_json(key)}: [\n  {rows}\n ]" if rows else f"{_json(key)}: []"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _character(own: CustomCharacter) -> dict[str, Any]:
    return {
        "name": own.name,
        "display_name": own.display_name,
        "title": own.title,
        "persona": own.persona,
        "greeting": own.greeting,
    }


def _message(message: Message) -> dict[str, Any]:
    told = {
        "name": _name(message.id),
        "parent": _name(message.parent),
        "role": message.role.value,
        "character": message.character,
        "state": message.state.value,
        "finish": message.finish.value if message.finish else None,
        "failure": message.failure.value if message.failure else None,
        "model": message.model,
        "created_at": message.created_at.isoformat(),
        "edited_at": message.edited_at.isoformat() if message.edited_at else None,
        "pinned": message.pinned,
        "reaction": message.reaction.value if message.reaction else None,
        "media": [str(one) for one in message.media],
        "next": _name(message.next),
        "usage": asdict(message.usage) if message.usage else None,
        "log": _log(message.log),
    }
    return {key: value for key, value in told.items() if value not in (None, "", False, [])} | {"text": message.text}


def _log(log: Sequence[Entry]) -> list[dict[str, Any]]:
    """What an answer came in, where another model took over; otherwise its text says it all."""
    if not any(isinstance(entry, Seam) for entry in log):
        return []
    # Why a model was asked stays here with what it cost.
    return [{key: value for key, value in to_json(one).items() if key != "decision"} for one in _joined(log)]


def _joined(log: Iterable[Entry]) -> Iterator[Entry]:
    """The entries, with what is said in one piece as far as nothing comes between."""
    said: list[str] = []
    for entry in log:
        if isinstance(entry, Said):
            said.append(entry.text)
            continue
        if said:
            yield Said("".join(said))
            said = []
        yield entry
    if said:
        yield Said("".join(said))


def _group(group: Group | None) -> dict[str, Any] | None:
    return None if group is None else {**asdict(group), "turn_order": group.turn_order.value}


def _name(identifier: object) -> str | None:
    return None if identifier is None else str(identifier)
