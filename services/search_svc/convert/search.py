"""The catalogue, and what is found in it, as the contract says it."""

import hashlib
from collections.abc import Collection, Iterable
from math import ceil

from runtime.errors import InvalidArgument, Violation
from scenemesh.search.v1 import search_pb2
from services.search_svc.domain.entries import Character, Kind, Title
from services.search_svc.domain.found import Filter, Hit, Match, Score
from services.search_svc.highlight import segments

KINDS = {
    Kind.FILM: search_pb2.KIND_FILM,
    Kind.SERIES: search_pb2.KIND_SERIES,
    Kind.ANIME: search_pb2.KIND_ANIME,
    Kind.CARTOON: search_pb2.KIND_CARTOON,
    Kind.CHARACTER: search_pb2.KIND_CHARACTER,
    Kind.ACTOR: search_pb2.KIND_ACTOR,
}
KINDS_FROM_PROTO = {number: kind for kind, number in KINDS.items()}
COLLECTIONS = {Kind.CHARACTER: "characters", Kind.ACTOR: "actors"}
MATCHES = {
    Match.EXACT_NAME: search_pb2.MATCH_EXACT_NAME,
    Match.EXACT_ALIAS: search_pb2.MATCH_EXACT_ALIAS,
    Match.NAME_PREFIX: search_pb2.MATCH_NAME_PREFIX,
    Match.ALIAS_PREFIX: search_pb2.MATCH_ALIAS_PREFIX,
    Match.LATER_WORD_OF_NAME: search_pb2.MATCH_LATER_WORD_OF_NAME,
    Match.LATER_WORD_OF_ALIAS: search_pb2.MATCH_LATER_WORD_OF_ALIAS,
    Match.WORDS: search_pb2.MATCH_WORDS,
    Match.WITHOUT_SPACES: search_pb2.MATCH_WITHOUT_SPACES,
    Match.ACTOR: search_pb2.MATCH_ACTOR,
}
DRAWN = frozenset({Kind.ANIME, Kind.CARTOON})
# As many actors as a sentence can name.
ACTORS_NAMED_MAX = 3
SENTENCE_ENDS = (".", "!", "?", "…")


def filter_from_proto(sent: search_pb2.EntryFilter, kinds: Collection[search_pb2.Kind] = ()) -> Filter:
    """`kinds` are wanted beside those of the filter. InvalidArgument for years that leave nothing."""
    if sent.year_max and sent.year_min > sent.year_max:
        fault = Violation("filter.year_max", f"must not be before year_min, {sent.year_min}")
        raise InvalidArgument(f"{fault.field}: {fault.description}", violations=[fault])
    return Filter(
        kinds=frozenset(KINDS_FROM_PROTO[kind] for kind in (*sent.kinds, *kinds)),
        year_min=sent.year_min,
        year_max=sent.year_max,
        include_adult=sent.include_adult,
    )


def id_from_name(name: str) -> str:
    """The slug in `titles/{slug}` or `characters/{slug}`."""
    return name.split("/")[1]


def scope(rpc: str, words: str, only: Filter) -> str:
    """What a page token is good for, in few letters."""
    asked = (rpc, words, sorted(only.kinds), only.year_min, only.year_max, only.include_adult)
    return hashlib.blake2b(repr(asked).encode(), digest_size=16).hexdigest()


def index_version_to_proto(version: int) -> str:
    return f"indexVersions/{version}"


def suggestions_to_proto(hits: Iterable[Hit], words: str = "", *, explain: bool = False) -> list[search_pb2.Suggestion]:
    """`words` is the query in its normal form."""
    return [_suggestion(hit, words, explain) for hit in hits]


def session_answer_to_proto(
    answer: search_pb2.SuggestResponse, sequence: int, skipped: int
) -> search_pb2.SuggestSessionResponse:
    return search_pb2.SuggestSessionResponse(
        sequence=sequence, suggestions=answer.suggestions, index_version=answer.index_version, skipped=skipped
    )


def title_to_proto(title: Title) -> search_pb2.Title:
    return search_pb2.Title(
        name=f"titles/{title.id}",
        display_name=title.name,
        kind=KINDS[title.kind],
        year=title.year,
        aliases=title.aliases,
        popularity=_popularity(title.popularity),
        characters=[f"characters/{character.id}" for character in title.best_known_first()],
        overview=title.overview,
        adult=title.adult,
    )


def character_to_proto(character: Character, title: Title) -> search_pb2.Character:
    return search_pb2.Character(
        name=f"characters/{character.id}",
        display_name=character.name,
        title=f"titles/{title.id}",
        title_display_name=title.name,
        aliases=character.aliases,
        persona=character.persona or _persona(character, title),
        popularity=_popularity(character.popularity),
        actors=[actor.name for actor in character.actors],
        adult=title.adult,
    )


def _suggestion(hit: Hit, words: str, explain: bool) -> search_pb2.Suggestion:
    return search_pb2.Suggestion(
        name=f"{COLLECTIONS.get(hit.kind, 'titles')}/{hit.id}",
        display_name=hit.name,
        kind=KINDS[hit.kind],
        title_display_name=hit.title_name,
        year=hit.year,
        matched_alias=hit.alias,
        popularity=_popularity(hit.popularity),
        matched_actor=hit.actor,
        segments=[
            search_pb2.Segment(text=text, matched=matched)
            for text, matched in segments(hit.alias or hit.actor or hit.name, words)
        ],
        score=_score(hit.score) if explain and hit.score is not None else None,
    )


def _score(score: Score) -> search_pb2.Score:
    return search_pb2.Score(
        total=score.total,
        match=MATCHES[score.match],
        match_points=score.match_points,
        typos=score.typos,
        typo_points=score.typo_points,
        popularity_points=score.popularity_points,
        missing_points=score.missing_points,
    )


def _popularity(popularity: float) -> int:
    return ceil(popularity)


def _persona(character: Character, title: Title) -> str:
    """Who the character is, of what the catalogue knows for certain."""
    year = f" ({title.year})" if title.year else ""
    sentence = f"{character.name}, a character of {title.name}{year}"
    if names := [actor.name for actor in character.actors[:ACTORS_NAMED_MAX]]:
        *others, last = names
        people = f"{', '.join(others)} and {last}" if others else last
        sentence += f", {'voiced' if title.kind in DRAWN else 'played'} by {people}"
    return sentence if sentence.endswith(SENTENCE_ENDS) else f"{sentence}."
