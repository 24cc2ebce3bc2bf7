import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class QuotaUpdated(_message.Message):
    __slots__ = ("meter", "remaining", "unlimited", "entry")
    METER_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    UNLIMITED_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    meter: str
    remaining: int
    unlimited: bool
    entry: str
    def __init__(self, meter: _Optional[str] = ..., remaining: _Optional[int] = ..., unlimited: _Optional[bool] = ..., entry: _Optional[str] = ...) -> None: ...

class QuotaLow(_message.Message):
    __slots__ = ("meter", "used_percent", "remaining", "reset_time")
    METER_FIELD_NUMBER: _ClassVar[int]
    USED_PERCENT_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    RESET_TIME_FIELD_NUMBER: _ClassVar[int]
    meter: str
    used_percent: int
    remaining: int
    reset_time: _timestamp_pb2.Timestamp
    def __init__(self, meter: _Optional[str] = ..., used_percent: _Optional[int] = ..., remaining: _Optional[int] = ..., reset_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class QuotaDepleted(_message.Message):
    __slots__ = ("meter", "reset_time")
    METER_FIELD_NUMBER: _ClassVar[int]
    RESET_TIME_FIELD_NUMBER: _ClassVar[int]
    meter: str
    reset_time: _timestamp_pb2.Timestamp
    def __init__(self, meter: _Optional[str] = ..., reset_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class QuotaReset(_message.Message):
    __slots__ = ("meter", "limit", "unlimited")
    METER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    UNLIMITED_FIELD_NUMBER: _ClassVar[int]
    meter: str
    limit: int
    unlimited: bool
    def __init__(self, meter: _Optional[str] = ..., limit: _Optional[int] = ..., unlimited: _Optional[bool] = ...) -> None: ...
