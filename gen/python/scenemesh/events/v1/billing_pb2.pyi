import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import money_pb2 as _money_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SubscriptionCreated(_message.Message):
    __slots__ = ("plan", "previous_plan", "provider", "period_end_time")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_PLAN_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_TIME_FIELD_NUMBER: _ClassVar[int]
    plan: str
    previous_plan: str
    provider: str
    period_end_time: _timestamp_pb2.Timestamp
    def __init__(self, plan: _Optional[str] = ..., previous_plan: _Optional[str] = ..., provider: _Optional[str] = ..., period_end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SubscriptionUpgraded(_message.Message):
    __slots__ = ("plan", "previous_plan", "provider", "period_end_time")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_PLAN_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_TIME_FIELD_NUMBER: _ClassVar[int]
    plan: str
    previous_plan: str
    provider: str
    period_end_time: _timestamp_pb2.Timestamp
    def __init__(self, plan: _Optional[str] = ..., previous_plan: _Optional[str] = ..., provider: _Optional[str] = ..., period_end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SubscriptionDowngraded(_message.Message):
    __slots__ = ("plan", "previous_plan", "provider", "period_end_time")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_PLAN_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_TIME_FIELD_NUMBER: _ClassVar[int]
    plan: str
    previous_plan: str
    provider: str
    period_end_time: _timestamp_pb2.Timestamp
    def __init__(self, plan: _Optional[str] = ..., previous_plan: _Optional[str] = ..., provider: _Optional[str] = ..., period_end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SubscriptionCancelled(_message.Message):
    __slots__ = ("plan", "previous_plan", "provider", "period_end_time")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_PLAN_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_TIME_FIELD_NUMBER: _ClassVar[int]
    plan: str
    previous_plan: str
    provider: str
    period_end_time: _timestamp_pb2.Timestamp
    def __init__(self, plan: _Optional[str] = ..., previous_plan: _Optional[str] = ..., provider: _Optional[str] = ..., period_end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SubscriptionPaused(_message.Message):
    __slots__ = ("plan", "previous_plan", "provider", "period_end_time")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_PLAN_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_TIME_FIELD_NUMBER: _ClassVar[int]
    plan: str
    previous_plan: str
    provider: str
    period_end_time: _timestamp_pb2.Timestamp
    def __init__(self, plan: _Optional[str] = ..., previous_plan: _Optional[str] = ..., provider: _Optional[str] = ..., period_end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SubscriptionResumed(_message.Message):
    __slots__ = ("plan", "previous_plan", "provider", "period_end_time")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_PLAN_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_TIME_FIELD_NUMBER: _ClassVar[int]
    plan: str
    previous_plan: str
    provider: str
    period_end_time: _timestamp_pb2.Timestamp
    def __init__(self, plan: _Optional[str] = ..., previous_plan: _Optional[str] = ..., provider: _Optional[str] = ..., period_end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PaymentSucceeded(_message.Message):
    __slots__ = ("provider", "invoice", "amount")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    provider: str
    invoice: str
    amount: _money_pb2.Money
    def __init__(self, provider: _Optional[str] = ..., invoice: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class PaymentFailed(_message.Message):
    __slots__ = ("provider", "invoice", "amount")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    provider: str
    invoice: str
    amount: _money_pb2.Money
    def __init__(self, provider: _Optional[str] = ..., invoice: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class PaymentRefunded(_message.Message):
    __slots__ = ("provider", "invoice", "amount")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    provider: str
    invoice: str
    amount: _money_pb2.Money
    def __init__(self, provider: _Optional[str] = ..., invoice: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class CreditsPurchased(_message.Message):
    __slots__ = ("pack", "credits", "invoice")
    PACK_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    INVOICE_FIELD_NUMBER: _ClassVar[int]
    pack: str
    credits: int
    invoice: str
    def __init__(self, pack: _Optional[str] = ..., credits: _Optional[int] = ..., invoice: _Optional[str] = ...) -> None: ...
