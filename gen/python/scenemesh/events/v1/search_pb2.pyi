from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class CatalogSynced(_message.Message):
    __slots__ = ("source", "titles_kept", "characters_kept", "titles_removed")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TITLES_KEPT_FIELD_NUMBER: _ClassVar[int]
    CHARACTERS_KEPT_FIELD_NUMBER: _ClassVar[int]
    TITLES_REMOVED_FIELD_NUMBER: _ClassVar[int]
    source: str
    titles_kept: int
    characters_kept: int
    titles_removed: int
    def __init__(self, source: _Optional[str] = ..., titles_kept: _Optional[int] = ..., characters_kept: _Optional[int] = ..., titles_removed: _Optional[int] = ...) -> None: ...

class IndexActivated(_message.Message):
    __slots__ = ("replaced", "entries", "activated_by")
    REPLACED_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    ACTIVATED_BY_FIELD_NUMBER: _ClassVar[int]
    replaced: str
    entries: int
    activated_by: str
    def __init__(self, replaced: _Optional[str] = ..., entries: _Optional[int] = ..., activated_by: _Optional[str] = ...) -> None: ...
