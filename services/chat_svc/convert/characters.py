"""Characters that people made up, as the contract says them, and the pages of a list."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid5

from google.protobuf.field_mask_pb2 import FieldMask

from runtime import pages
from runtime.errors import InvalidArgument, Violation
from runtime.interceptors.validation import validate
from scenemesh.chat.v1 import character_pb2
from services.chat_svc.convert.conversations import bad_page_token, timestamp
from services.chat_svc.domain.character import PREFIX, CustomCharacter, custom_id

CHARACTERS_PAGE = 20
# Ids of what was made by requests that may come twice.
REQUESTS = UUID("6a0f5f3e-2d5c-4a8e-9a8b-6a3f0c1d7e42")
CHANGEABLE = ("display_name", "title", "persona", "greeting")


def made_from_proto(
    user: str, request: character_pb2.CreateCustomCharacterRequest, random: UUID, now: datetime
) -> CustomCharacter:
    """The character that somebody wants to keep; the same id for the same request."""
    proto = request.custom_character
    identifier = uuid5(REQUESTS, f"{user}/{request.request_id}") if request.request_id else random
    return CustomCharacter(user, identifier, proto.display_name, proto.title, proto.persona, proto.greeting, now, now)


def changed_from_proto(
    character: CustomCharacter, proto: character_pb2.CustomCharacter, mask: FieldMask, now: datetime
) -> CustomCharacter:
    """The character with what the mask names as the request has it."""
    unknown = [path for path in mask.paths if path not in CHANGEABLE]
    if unknown:
        raise _fault("update_mask", f"names {unknown[0]!r}, which cannot be changed")
    changed = replace(character, updated_at=now, **{path: getattr(proto, path) for path in mask.paths})
    validate(character_to_proto(changed))
    return changed


def name_from_proto(proto: character_pb2.CustomCharacter) -> UUID:
    """The id of the character that is to be changed."""
    try:
        if (identifier := custom_id(proto.name)) is not None:
            return identifier
    except ValueError:
        pass
    raise _fault("custom_character.name", f"must be {PREFIX}{{uuid}}")


def characters_after(
    user: str, request: character_pb2.ListCustomCharactersRequest
) -> tuple[tuple[datetime, UUID] | None, int]:
    """What the page goes on behind (when it was made, id), None for the first page; and the page's size."""
    size = request.page_size or CHARACTERS_PAGE
    position = pages.position(_scope(user), request.page_token, 2)
    if position is None:
        return None, size
    try:
        made_at = datetime.fromisoformat(position[0])
        if made_at.tzinfo is None:
            raise bad_page_token()
        return (made_at, UUID(position[1])), size
    except ValueError:
        raise bad_page_token() from None


def characters_to_proto(
    user: str, characters: list[CustomCharacter], size: int
) -> character_pb2.ListCustomCharactersResponse:
    """One page of `characters`, which hold one more than the page when there is a next one."""
    token = ""
    if len(characters) > size:
        last = characters[size - 1]
        token = pages.token(_scope(user), [last.created_at.isoformat(), str(last.id)])
    return character_pb2.ListCustomCharactersResponse(
        custom_characters=[character_to_proto(one) for one in characters[:size]], next_page_token=token
    )


def character_to_proto(character: CustomCharacter) -> character_pb2.CustomCharacter:
    return character_pb2.CustomCharacter(
        name=character.name,
        display_name=character.display_name,
        title=character.title,
        persona=character.persona,
        greeting=character.greeting,
        create_time=timestamp(character.created_at),
        update_time=timestamp(character.updated_at),
    )


def _scope(user: str) -> str:
    return f"users/{user}/customCharacters"


def _fault(field: str, description: str) -> InvalidArgument:
    return InvalidArgument(f"{field}: {description}", violations=[Violation(field, description)])
