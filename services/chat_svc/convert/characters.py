"""Characters that people made up, as the contract says them, and the pages of a list."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from google.protobuf.field_mask_pb2 import FieldMask

from runtime import pages
from runtime.interceptors.validation import validate
from scenemesh.chat.v1 import character_pb2
from services.chat_svc.convert.conversations import bad_field, bad_page_token, check_mask, check_said, timestamp
from services.chat_svc.convert.requests import made_id
from services.chat_svc.domain.character import PREFIX, CustomCharacter, custom_id

CHARACTERS_PAGE = 20
NAME = "custom_character.display_name"
CHANGEABLE = ("display_name", "title", "persona", "greeting")


def made_from_proto(
    user: str, request: character_pb2.CreateCustomCharacterRequest, random: UUID, now: datetime
) -> CustomCharacter:
    """The character that somebody wants to keep; the same id for the same request."""
    proto = request.custom_character
    check_said(NAME, proto.display_name)
    identifier = made_id(user, request.request_id, random)
    return CustomCharacter(
        user, identifier, proto.display_name.strip(), proto.title, proto.persona, proto.greeting, now, now
    )


def changed_from_proto(
    character: CustomCharacter, proto: character_pb2.CustomCharacter, mask: FieldMask, now: datetime
) -> CustomCharacter:
    """The character with what the mask names as the request has it."""
    check_mask(mask.paths, CHANGEABLE)
    changed = replace(character, updated_at=now, **{path: getattr(proto, path) for path in mask.paths})
    validate(character_pb2.CreateCustomCharacterRequest(custom_character=character_to_proto(changed)))
    check_said(NAME, changed.display_name)
    return replace(changed, display_name=changed.display_name.strip())


def name_from_proto(proto: character_pb2.CustomCharacter) -> UUID:
    """The id of the character that is to be changed."""
    try:
        if (identifier := custom_id(proto.name)) is not None:
            return identifier
    except ValueError:
        pass
    raise bad_field("custom_character.name", f"must be {PREFIX}{{uuid}}")


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
        return (made_at.astimezone(UTC), UUID(position[1])), size
    except (ValueError, OverflowError):
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
