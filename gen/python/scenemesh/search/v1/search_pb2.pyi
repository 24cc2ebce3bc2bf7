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

class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KIND_UNSPECIFIED: _ClassVar[Kind]
    KIND_FILM: _ClassVar[Kind]
    KIND_SERIES: _ClassVar[Kind]
    KIND_ANIME: _ClassVar[Kind]
    KIND_CHARACTER: _ClassVar[Kind]
KIND_UNSPECIFIED: Kind
KIND_FILM: Kind
KIND_SERIES: Kind
KIND_ANIME: Kind
KIND_CHARACTER: Kind

class Title(_message.Message):
    __slots__ = ("name", "display_name", "kind", "year", "aliases", "popularity", "characters")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    POPULARITY_FIELD_NUMBER: _ClassVar[int]
    CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    kind: Kind
    year: int
    aliases: _containers.RepeatedScalarFieldContainer[str]
    popularity: int
    characters: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., kind: _Optional[_Union[Kind, str]] = ..., year: _Optional[int] = ..., aliases: _Optional[_Iterable[str]] = ..., popularity: _Optional[int] = ..., characters: _Optional[_Iterable[str]] = ...) -> None: ...

class Character(_message.Message):
    __slots__ = ("name", "display_name", "title", "title_display_name", "aliases", "persona", "popularity")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TITLE_DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    PERSONA_FIELD_NUMBER: _ClassVar[int]
    POPULARITY_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    title: str
    title_display_name: str
    aliases: _containers.RepeatedScalarFieldContainer[str]
    persona: str
    popularity: int
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., title: _Optional[str] = ..., title_display_name: _Optional[str] = ..., aliases: _Optional[_Iterable[str]] = ..., persona: _Optional[str] = ..., popularity: _Optional[int] = ...) -> None: ...

class SuggestRequest(_message.Message):
    __slots__ = ("query", "page_size", "kinds")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    query: str
    page_size: int
    kinds: _containers.RepeatedScalarFieldContainer[Kind]
    def __init__(self, query: _Optional[str] = ..., page_size: _Optional[int] = ..., kinds: _Optional[_Iterable[_Union[Kind, str]]] = ...) -> None: ...

class SuggestResponse(_message.Message):
    __slots__ = ("suggestions",)
    SUGGESTIONS_FIELD_NUMBER: _ClassVar[int]
    suggestions: _containers.RepeatedCompositeFieldContainer[Suggestion]
    def __init__(self, suggestions: _Optional[_Iterable[_Union[Suggestion, _Mapping]]] = ...) -> None: ...

class Suggestion(_message.Message):
    __slots__ = ("name", "display_name", "kind", "title_display_name", "year", "matched_alias", "popularity")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TITLE_DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    MATCHED_ALIAS_FIELD_NUMBER: _ClassVar[int]
    POPULARITY_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    kind: Kind
    title_display_name: str
    year: int
    matched_alias: str
    popularity: int
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., kind: _Optional[_Union[Kind, str]] = ..., title_display_name: _Optional[str] = ..., year: _Optional[int] = ..., matched_alias: _Optional[str] = ..., popularity: _Optional[int] = ...) -> None: ...

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
