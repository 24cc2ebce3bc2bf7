from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class ConversationCreated(_message.Message):
    __slots__ = ("conversation", "characters")
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    conversation: str
    characters: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, conversation: _Optional[str] = ..., characters: _Optional[_Iterable[str]] = ...) -> None: ...

class MessageCompleted(_message.Message):
    __slots__ = ("message", "character", "model", "input_tokens", "output_tokens", "meter", "charged")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CHARACTER_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    METER_FIELD_NUMBER: _ClassVar[int]
    CHARGED_FIELD_NUMBER: _ClassVar[int]
    message: str
    character: str
    model: str
    input_tokens: int
    output_tokens: int
    meter: str
    charged: int
    def __init__(self, message: _Optional[str] = ..., character: _Optional[str] = ..., model: _Optional[str] = ..., input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ..., meter: _Optional[str] = ..., charged: _Optional[int] = ...) -> None: ...

class MessageFailed(_message.Message):
    __slots__ = ("message", "character", "model", "reason", "meter", "charged")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CHARACTER_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    METER_FIELD_NUMBER: _ClassVar[int]
    CHARGED_FIELD_NUMBER: _ClassVar[int]
    message: str
    character: str
    model: str
    reason: str
    meter: str
    charged: int
    def __init__(self, message: _Optional[str] = ..., character: _Optional[str] = ..., model: _Optional[str] = ..., reason: _Optional[str] = ..., meter: _Optional[str] = ..., charged: _Optional[int] = ...) -> None: ...
