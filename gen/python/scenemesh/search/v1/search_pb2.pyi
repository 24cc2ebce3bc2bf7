from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from scenemesh.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Match(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MATCH_UNSPECIFIED: _ClassVar[Match]
    MATCH_EXACT_NAME: _ClassVar[Match]
    MATCH_EXACT_ALIAS: _ClassVar[Match]
    MATCH_NAME_PREFIX: _ClassVar[Match]
    MATCH_ALIAS_PREFIX: _ClassVar[Match]
    MATCH_LATER_WORD_OF_NAME: _ClassVar[Match]
    MATCH_LATER_WORD_OF_ALIAS: _ClassVar[Match]
    MATCH_WORDS: _ClassVar[Match]
    MATCH_WITHOUT_SPACES: _ClassVar[Match]
    MATCH_ACTOR: _ClassVar[Match]

class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KIND_UNSPECIFIED: _ClassVar[Kind]
    KIND_FILM: _ClassVar[Kind]
    KIND_SERIES: _ClassVar[Kind]
    KIND_ANIME: _ClassVar[Kind]
    KIND_CHARACTER: _ClassVar[Kind]
    KIND_CARTOON: _ClassVar[Kind]
    KIND_ACTOR: _ClassVar[Kind]
MATCH_UNSPECIFIED: Match
MATCH_EXACT_NAME: Match
MATCH_EXACT_ALIAS: Match
MATCH_NAME_PREFIX: Match
MATCH_ALIAS_PREFIX: Match
MATCH_LATER_WORD_OF_NAME: Match
MATCH_LATER_WORD_OF_ALIAS: Match
MATCH_WORDS: Match
MATCH_WITHOUT_SPACES: Match
MATCH_ACTOR: Match
KIND_UNSPECIFIED: Kind
KIND_FILM: Kind
KIND_SERIES: Kind
KIND_ANIME: Kind
KIND_CHARACTER: Kind
KIND_CARTOON: Kind
KIND_ACTOR: Kind

class Title(_message.Message):
    __slots__ = ("name", "display_name", "kind", "year", "aliases", "popularity", "characters", "overview", "adult")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    POPULARITY_FIELD_NUMBER: _ClassVar[int]
    CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    OVERVIEW_FIELD_NUMBER: _ClassVar[int]
    ADULT_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    kind: Kind
    year: int
    aliases: _containers.RepeatedScalarFieldContainer[str]
    popularity: int
    characters: _containers.RepeatedScalarFieldContainer[str]
    overview: str
    adult: bool
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., kind: _Optional[_Union[Kind, str]] = ..., year: _Optional[int] = ..., aliases: _Optional[_Iterable[str]] = ..., popularity: _Optional[int] = ..., characters: _Optional[_Iterable[str]] = ..., overview: _Optional[str] = ..., adult: _Optional[bool] = ...) -> None: ...

class Character(_message.Message):
    __slots__ = ("name", "display_name", "title", "title_display_name", "aliases", "persona", "popularity", "actors", "adult")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TITLE_DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    PERSONA_FIELD_NUMBER: _ClassVar[int]
    POPULARITY_FIELD_NUMBER: _ClassVar[int]
    ACTORS_FIELD_NUMBER: _ClassVar[int]
    ADULT_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    title: str
    title_display_name: str
    aliases: _containers.RepeatedScalarFieldContainer[str]
    persona: str
    popularity: int
    actors: _containers.RepeatedScalarFieldContainer[str]
    adult: bool
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., title: _Optional[str] = ..., title_display_name: _Optional[str] = ..., aliases: _Optional[_Iterable[str]] = ..., persona: _Optional[str] = ..., popularity: _Optional[int] = ..., actors: _Optional[_Iterable[str]] = ..., adult: _Optional[bool] = ...) -> None: ...

class EntryFilter(_message.Message):
    __slots__ = ("kinds", "year_min", "year_max", "include_adult")
    KINDS_FIELD_NUMBER: _ClassVar[int]
    YEAR_MIN_FIELD_NUMBER: _ClassVar[int]
    YEAR_MAX_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_ADULT_FIELD_NUMBER: _ClassVar[int]
    kinds: _containers.RepeatedScalarFieldContainer[Kind]
    year_min: int
    year_max: int
    include_adult: bool
    def __init__(self, kinds: _Optional[_Iterable[_Union[Kind, str]]] = ..., year_min: _Optional[int] = ..., year_max: _Optional[int] = ..., include_adult: _Optional[bool] = ...) -> None: ...

class SuggestRequest(_message.Message):
    __slots__ = ("query", "page_size", "kinds", "filter", "explain", "sequence")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    query: str
    page_size: int
    kinds: _containers.RepeatedScalarFieldContainer[Kind]
    filter: EntryFilter
    explain: bool
    sequence: int
    def __init__(self, query: _Optional[str] = ..., page_size: _Optional[int] = ..., kinds: _Optional[_Iterable[_Union[Kind, str]]] = ..., filter: _Optional[_Union[EntryFilter, _Mapping]] = ..., explain: _Optional[bool] = ..., sequence: _Optional[int] = ...) -> None: ...

class SuggestResponse(_message.Message):
    __slots__ = ("suggestions", "index_version", "sequence")
    SUGGESTIONS_FIELD_NUMBER: _ClassVar[int]
    INDEX_VERSION_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    suggestions: _containers.RepeatedCompositeFieldContainer[Suggestion]
    index_version: str
    sequence: int
    def __init__(self, suggestions: _Optional[_Iterable[_Union[Suggestion, _Mapping]]] = ..., index_version: _Optional[str] = ..., sequence: _Optional[int] = ...) -> None: ...

class SuggestSessionRequest(_message.Message):
    __slots__ = ("sequence", "query", "page_size", "filter")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    query: str
    page_size: int
    filter: EntryFilter
    def __init__(self, sequence: _Optional[int] = ..., query: _Optional[str] = ..., page_size: _Optional[int] = ..., filter: _Optional[_Union[EntryFilter, _Mapping]] = ...) -> None: ...

class SuggestSessionResponse(_message.Message):
    __slots__ = ("sequence", "suggestions", "index_version", "skipped")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SUGGESTIONS_FIELD_NUMBER: _ClassVar[int]
    INDEX_VERSION_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    suggestions: _containers.RepeatedCompositeFieldContainer[Suggestion]
    index_version: str
    skipped: int
    def __init__(self, sequence: _Optional[int] = ..., suggestions: _Optional[_Iterable[_Union[Suggestion, _Mapping]]] = ..., index_version: _Optional[str] = ..., skipped: _Optional[int] = ...) -> None: ...

class SearchRequest(_message.Message):
    __slots__ = ("query", "page_size", "page_token", "filter", "explain")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    query: str
    page_size: int
    page_token: str
    filter: EntryFilter
    explain: bool
    def __init__(self, query: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., filter: _Optional[_Union[EntryFilter, _Mapping]] = ..., explain: _Optional[bool] = ...) -> None: ...

class SearchResponse(_message.Message):
    __slots__ = ("hits", "next_page_token", "total_size", "index_version")
    HITS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    INDEX_VERSION_FIELD_NUMBER: _ClassVar[int]
    hits: _containers.RepeatedCompositeFieldContainer[Suggestion]
    next_page_token: str
    total_size: int
    index_version: str
    def __init__(self, hits: _Optional[_Iterable[_Union[Suggestion, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., total_size: _Optional[int] = ..., index_version: _Optional[str] = ...) -> None: ...

class ListPopularRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "filter")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    filter: EntryFilter
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., filter: _Optional[_Union[EntryFilter, _Mapping]] = ...) -> None: ...

class ListPopularResponse(_message.Message):
    __slots__ = ("entries", "next_page_token", "index_version")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    INDEX_VERSION_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[Suggestion]
    next_page_token: str
    index_version: str
    def __init__(self, entries: _Optional[_Iterable[_Union[Suggestion, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., index_version: _Optional[str] = ...) -> None: ...

class Suggestion(_message.Message):
    __slots__ = ("name", "display_name", "kind", "title_display_name", "year", "matched_alias", "popularity", "matched_actor", "segments", "score")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TITLE_DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    MATCHED_ALIAS_FIELD_NUMBER: _ClassVar[int]
    POPULARITY_FIELD_NUMBER: _ClassVar[int]
    MATCHED_ACTOR_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    kind: Kind
    title_display_name: str
    year: int
    matched_alias: str
    popularity: int
    matched_actor: str
    segments: _containers.RepeatedCompositeFieldContainer[Segment]
    score: Score
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., kind: _Optional[_Union[Kind, str]] = ..., title_display_name: _Optional[str] = ..., year: _Optional[int] = ..., matched_alias: _Optional[str] = ..., popularity: _Optional[int] = ..., matched_actor: _Optional[str] = ..., segments: _Optional[_Iterable[_Union[Segment, _Mapping]]] = ..., score: _Optional[_Union[Score, _Mapping]] = ...) -> None: ...

class Segment(_message.Message):
    __slots__ = ("text", "matched")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    MATCHED_FIELD_NUMBER: _ClassVar[int]
    text: str
    matched: bool
    def __init__(self, text: _Optional[str] = ..., matched: _Optional[bool] = ...) -> None: ...

class Score(_message.Message):
    __slots__ = ("total", "match", "match_points", "typos", "typo_points", "popularity_points", "missing_points")
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    MATCH_FIELD_NUMBER: _ClassVar[int]
    MATCH_POINTS_FIELD_NUMBER: _ClassVar[int]
    TYPOS_FIELD_NUMBER: _ClassVar[int]
    TYPO_POINTS_FIELD_NUMBER: _ClassVar[int]
    POPULARITY_POINTS_FIELD_NUMBER: _ClassVar[int]
    MISSING_POINTS_FIELD_NUMBER: _ClassVar[int]
    total: float
    match: Match
    match_points: float
    typos: int
    typo_points: float
    popularity_points: float
    missing_points: float
    def __init__(self, total: _Optional[float] = ..., match: _Optional[_Union[Match, str]] = ..., match_points: _Optional[float] = ..., typos: _Optional[int] = ..., typo_points: _Optional[float] = ..., popularity_points: _Optional[float] = ..., missing_points: _Optional[float] = ...) -> None: ...

class GetTitleRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetCharacterRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...
