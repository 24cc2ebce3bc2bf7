"""Which character, which conversation."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import grpc

from cli.client import CALL_SECONDS, Client
from cli.failures import HINTS, ExitCode, Failure
from scenemesh.chat.v1 import character_pb2, chat_pb2
from scenemesh.chat.v1.character_pb2_grpc import CharacterServiceStub
from scenemesh.chat.v1.chat_pb2_grpc import ChatServiceStub
from scenemesh.search.v1 import search_pb2
from scenemesh.search.v1.search_pb2_grpc import SearchServiceStub

CUSTOM = "customCharacters/"
# What is only tidied up keeps nobody waiting.
TIDY_SECONDS = 3.0
# So many are named where none of them is surely meant.
PROPOSED_MAX = 3
# What a word of the query costs in a score that the character lacks, and one that only the title has.
LACKED_POINTS, ELSEWHERE_POINTS = 40, 6
SLUG = re.compile(r"(?:characters/)?([a-z0-9]+(?:-[a-z0-9]+)*)")


@dataclass(frozen=True)
class Conversation:
    """A conversation to speak in, and who is in it: what they are called, by resource name; `origin` is the first's.

    `fresh` is how it was opened just now; None for one that there was.
    """

    name: str
    speakers: Mapping[str, str]
    origin: str
    fresh: chat_pb2.Conversation | None = None

    @property
    def is_group(self) -> bool:
        return len(self.speakers) > 1


async def opened(client: Client, channel: grpc.aio.Channel, wanted: Sequence[str], name: str | None) -> Conversation:
    """A new conversation with the characters that are `wanted`, or the one called `name`, which must be with them.

    Of an old one the first character is enough.
    """
    first, *others = [await _character(client, channel, one) for one in wanted]
    found = {one.name: one.display_name for one in (first, *others)}
    chat = ChatServiceStub(channel)
    if name is None:
        conversation = chat_pb2.Conversation(character=first.name, others=[one.name for one in others])
        create = chat_pb2.CreateConversationRequest(conversation=conversation)
        kept = await chat.CreateConversation(create, timeout=CALL_SECONDS, metadata=client.metadata)
    else:
        get = chat_pb2.GetConversationRequest(name=f"conversations/{name.removeprefix('conversations/')}")
        kept = await chat.GetConversation(get, timeout=CALL_SECONDS, metadata=client.metadata)
    if kept.character != first.name or (others and {one.name for one in others} != set(kept.others)):
        message = f"That conversation is with {_all([kept.character, *kept.others])}, not with {_all(found)}."
        raise Failure(message, ExitCode.USAGE, "INVALID_ARGUMENT")
    speakers = {one: found.get(one) or await _called(client, channel, one) for one in (kept.character, *kept.others)}
    return Conversation(kept.name, speakers, first.title_display_name, kept if name is None else None)


async def discarded(client: Client, channel: grpc.aio.Channel, fresh: chat_pb2.Conversation) -> bool:
    """Deletes a conversation that was opened just now, unless something happened in it since; whether it is gone."""
    chat = ChatServiceStub(channel)
    try:
        get = chat_pb2.GetConversationRequest(name=fresh.name)
        if await chat.GetConversation(get, timeout=TIDY_SECONDS, metadata=client.metadata) != fresh:
            return False
        delete = chat_pb2.DeleteConversationRequest(name=fresh.name)
        await chat.DeleteConversation(delete, timeout=TIDY_SECONDS, metadata=client.metadata)
    except grpc.aio.AioRpcError:
        return False
    return True


def _all(names: Iterable[str]) -> str:
    return ", ".join(names)


async def _called(client: Client, channel: grpc.aio.Channel, character: str) -> str:
    """What a character is called, as far as the catalogue or their person knows them."""
    try:
        return (await _character(client, channel, character)).display_name
    except grpc.aio.AioRpcError:
        return character.partition("/")[2]


async def _character(client: Client, channel: grpc.aio.Channel, wanted: str) -> search_pb2.Character:
    """By slug or resource name, else the best hit for a name."""
    if not wanted.strip():
        hint = "`scenemesh search NAME --kind character` finds somebody."
        raise Failure("A character has a name.", ExitCode.USAGE, "INVALID_ARGUMENT", hint=hint)
    if wanted.startswith(CUSTOM):
        own = character_pb2.GetCustomCharacterRequest(name=wanted)
        kept = CharacterServiceStub(channel).GetCustomCharacter
        made = await kept(own, timeout=CALL_SECONDS, metadata=client.metadata)
        return search_pb2.Character(name=made.name, display_name=made.display_name, title_display_name=made.title)
    search = SearchServiceStub(channel)
    if slug := SLUG.fullmatch(wanted):
        get = search_pb2.GetCharacterRequest(name=f"characters/{slug.group(1)}")
        try:
            return await search.GetCharacter(get, timeout=CALL_SECONDS)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND or "/" in wanted:
                raise
    kinds = [search_pb2.KIND_CHARACTER]
    suggest = search_pb2.SuggestRequest(query=wanted, page_size=PROPOSED_MAX, kinds=kinds, explain=True)
    answer = await search.Suggest(suggest, timeout=CALL_SECONDS)
    if not answer.suggestions or _lacks(answer.suggestions[0].score):
        message = f"No character is called {wanted!r}.{_proposed(answer.suggestions)}"
        raise Failure(message, ExitCode.FAILED, "NOT_FOUND", "CHARACTER_NOT_FOUND", HINTS["CHARACTER_NOT_FOUND"])
    best = answer.suggestions[0]
    return search_pb2.Character(
        name=best.name, display_name=best.display_name, title_display_name=best.title_display_name
    )


def _lacks(score: search_pb2.Score) -> bool:
    """Whether a word of the query is neither the character's nor their title's."""
    # A query has 12 words at most: those that only the title has never cost so much as three that are lacked, and one
    # or two of these leave a rest.
    missing = -score.missing_points
    return missing >= 3 * LACKED_POINTS or missing % ELSEWHERE_POINTS != 0


def _proposed(suggestions: Sequence[search_pb2.Suggestion]) -> str:
    """A question with a space before it; empty where there is nobody to ask for."""
    *others, last = [_from(one) for one in suggestions] or [""]
    return f" Did you mean {' or '.join(filter(None, (_all(others), last)))}?" if last else ""


def _from(suggestion: search_pb2.Suggestion) -> str:
    title = suggestion.title_display_name
    return f"{suggestion.display_name} ({title})" if title else suggestion.display_name
