from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import httpbody_pb2 as _httpbody_pb2
from scenemesh.chat.v1 import chat_pb2 as _chat_pb2
from scenemesh.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExportFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXPORT_FORMAT_UNSPECIFIED: _ClassVar[ExportFormat]
    EXPORT_FORMAT_JSON: _ClassVar[ExportFormat]
    EXPORT_FORMAT_MARKDOWN: _ClassVar[ExportFormat]
    EXPORT_FORMAT_TEXT: _ClassVar[ExportFormat]
    EXPORT_FORMAT_PDF: _ClassVar[ExportFormat]

class ImportFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IMPORT_FORMAT_UNSPECIFIED: _ClassVar[ImportFormat]
    IMPORT_FORMAT_JSON: _ClassVar[ImportFormat]
    IMPORT_FORMAT_SILLY_TAVERN: _ClassVar[ImportFormat]
    IMPORT_FORMAT_LIBRE_CHAT: _ClassVar[ImportFormat]
    IMPORT_FORMAT_OPEN_WEB_UI: _ClassVar[ImportFormat]
EXPORT_FORMAT_UNSPECIFIED: ExportFormat
EXPORT_FORMAT_JSON: ExportFormat
EXPORT_FORMAT_MARKDOWN: ExportFormat
EXPORT_FORMAT_TEXT: ExportFormat
EXPORT_FORMAT_PDF: ExportFormat
IMPORT_FORMAT_UNSPECIFIED: ImportFormat
IMPORT_FORMAT_JSON: ImportFormat
IMPORT_FORMAT_SILLY_TAVERN: ImportFormat
IMPORT_FORMAT_LIBRE_CHAT: ImportFormat
IMPORT_FORMAT_OPEN_WEB_UI: ImportFormat

class ExportConversationRequest(_message.Message):
    __slots__ = ("name", "format")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    name: str
    format: ExportFormat
    def __init__(self, name: _Optional[str] = ..., format: _Optional[_Union[ExportFormat, str]] = ...) -> None: ...

class ImportConversationsRequest(_message.Message):
    __slots__ = ("format", "content", "character", "request_id")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    CHARACTER_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    format: ImportFormat
    content: bytes
    character: str
    request_id: str
    def __init__(self, format: _Optional[_Union[ImportFormat, str]] = ..., content: _Optional[bytes] = ..., character: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class ImportConversationsResponse(_message.Message):
    __slots__ = ("conversations", "skipped", "media_left_behind")
    CONVERSATIONS_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    MEDIA_LEFT_BEHIND_FIELD_NUMBER: _ClassVar[int]
    conversations: _containers.RepeatedCompositeFieldContainer[_chat_pb2.Conversation]
    skipped: _containers.RepeatedCompositeFieldContainer[SkippedConversation]
    media_left_behind: int
    def __init__(self, conversations: _Optional[_Iterable[_Union[_chat_pb2.Conversation, _Mapping]]] = ..., skipped: _Optional[_Iterable[_Union[SkippedConversation, _Mapping]]] = ..., media_left_behind: _Optional[int] = ...) -> None: ...

class SkippedConversation(_message.Message):
    __slots__ = ("place", "display_name", "reason")
    PLACE_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    place: int
    display_name: str
    reason: str
    def __init__(self, place: _Optional[int] = ..., display_name: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...
