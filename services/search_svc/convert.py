"""The catalogue as the contract says it."""

from collections.abc import Iterable

from scenemesh.search.v1 import search_pb2
from services.search_svc.domain import Character, Kind, Suggestion, Title

KINDS = {
    Kind.FILM: search_pb2.KIND_FILM,
    Kind.SERIES: search_pb2.KIND_SERIES,
    Kind.ANIME: search_pb2.KIND_ANIME,
    Kind.CHARACTER: search_pb2.KIND_CHARACTER,
}
KINDS_FROM_PROTO = {number: kind for kind, number in KINDS.items()}


def kinds_from_proto(kinds: Iterable[search_pb2.Kind]) -> frozenset[Kind]:
    return frozenset(KINDS_FROM_PROTO[kind] for kind in kinds)


def id_from_name(name: str) -> str:
    """The slug in `titles/{slug}` or `characters/{slug}`."""
    return name.split("/")[1]


def title_to_proto(title: Title) -> search_pb2.Title:
    return search_pb2.Title(
        name=f"titles/{title.id}",
        display_name=title.name,
        kind=KINDS[title.kind],
        year=title.year,
        aliases=title.aliases,
        popularity=title.popularity,
        characters=[f"characters/{character.id}" for character in title.best_known_first()],
    )


def character_to_proto(character: Character, title: Title) -> search_pb2.Character:
    return search_pb2.Character(
        name=f"characters/{character.id}",
        display_name=character.name,
        title=f"titles/{title.id}",
        title_display_name=title.name,
        aliases=character.aliases,
        persona=character.persona,
        popularity=character.popularity,
    )


def suggestions_to_proto(suggestions: Iterable[Suggestion]) -> search_pb2.SuggestResponse:
    return search_pb2.SuggestResponse(suggestions=[_suggestion(suggestion) for suggestion in suggestions])


def _suggestion(suggestion: Suggestion) -> search_pb2.Suggestion:
    document = suggestion.document
    of_character = document.kind is Kind.CHARACTER
    return search_pb2.Suggestion(
        name=f"{'characters' if of_character else 'titles'}/{document.entry.id}",
        display_name=document.entry.name,
        kind=KINDS[document.kind],
        title_display_name=document.title.name if of_character else "",
        year=document.title.year,
        matched_alias=suggestion.alias,
        popularity=document.entry.popularity,
    )
