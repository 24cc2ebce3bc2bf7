import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from scenemesh.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_ADMITTED: _ClassVar[Outcome]
    OUTCOME_REFUSED: _ClassVar[Outcome]

class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REASON_UNSPECIFIED: _ClassVar[Reason]
    REASON_WITHIN_LIMIT: _ClassVar[Reason]
    REASON_UNLIMITED: _ClassVar[Reason]
    REASON_LIMIT_REACHED: _ClassVar[Reason]
    REASON_NOT_IN_PLAN: _ClassVar[Reason]
    REASON_IN_DEBT: _ClassVar[Reason]

class Source(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SOURCE_UNSPECIFIED: _ClassVar[Source]
    SOURCE_PLAN: _ClassVar[Source]
    SOURCE_PURCHASE: _ClassVar[Source]
    SOURCE_PROMO: _ClassVar[Source]
    SOURCE_REFERRAL: _ClassVar[Source]
    SOURCE_ADMIN: _ClassVar[Source]

class ReserveMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESERVE_MODE_UNSPECIFIED: _ClassVar[ReserveMode]
    RESERVE_MODE_NORMAL: _ClassVar[ReserveMode]
    RESERVE_MODE_BEST_EFFORT: _ClassVar[ReserveMode]

class Overage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OVERAGE_UNSPECIFIED: _ClassVar[Overage]
    OVERAGE_REFUSED: _ClassVar[Overage]
    OVERAGE_AVAILABLE: _ClassVar[Overage]

class UsageRule(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    USAGE_RULE_UNSPECIFIED: _ClassVar[UsageRule]
    USAGE_RULE_KEPT: _ClassVar[UsageRule]
    USAGE_RULE_RESET: _ClassVar[UsageRule]

class AdjustmentReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ADJUSTMENT_REASON_UNSPECIFIED: _ClassVar[AdjustmentReason]
    ADJUSTMENT_REASON_REFUND: _ClassVar[AdjustmentReason]
    ADJUSTMENT_REASON_CHARGEBACK: _ClassVar[AdjustmentReason]
    ADJUSTMENT_REASON_CORRECTION: _ClassVar[AdjustmentReason]

class HoldState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HOLD_STATE_UNSPECIFIED: _ClassVar[HoldState]
    HOLD_STATE_HELD: _ClassVar[HoldState]
    HOLD_STATE_SETTLED: _ClassVar[HoldState]
    HOLD_STATE_RELEASED: _ClassVar[HoldState]
    HOLD_STATE_EXPIRED: _ClassVar[HoldState]
    HOLD_STATE_VOIDED: _ClassVar[HoldState]

class Account(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACCOUNT_UNSPECIFIED: _ClassVar[Account]
    ACCOUNT_ISSUED: _ClassVar[Account]
    ACCOUNT_AVAILABLE: _ClassVar[Account]
    ACCOUNT_CONSUMED: _ClassVar[Account]
    ACCOUNT_LAPSED: _ClassVar[Account]
    ACCOUNT_RECLAIMED: _ClassVar[Account]

class EntryKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENTRY_KIND_UNSPECIFIED: _ClassVar[EntryKind]
    ENTRY_KIND_ALLOWANCE: _ClassVar[EntryKind]
    ENTRY_KIND_GRANT: _ClassVar[EntryKind]
    ENTRY_KIND_CHARGE: _ClassVar[EntryKind]
    ENTRY_KIND_LAPSE: _ClassVar[EntryKind]
    ENTRY_KIND_ROLLOVER: _ClassVar[EntryKind]
    ENTRY_KIND_RETURN: _ClassVar[EntryKind]
    ENTRY_KIND_ADJUSTMENT: _ClassVar[EntryKind]
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_ADMITTED: Outcome
OUTCOME_REFUSED: Outcome
REASON_UNSPECIFIED: Reason
REASON_WITHIN_LIMIT: Reason
REASON_UNLIMITED: Reason
REASON_LIMIT_REACHED: Reason
REASON_NOT_IN_PLAN: Reason
REASON_IN_DEBT: Reason
SOURCE_UNSPECIFIED: Source
SOURCE_PLAN: Source
SOURCE_PURCHASE: Source
SOURCE_PROMO: Source
SOURCE_REFERRAL: Source
SOURCE_ADMIN: Source
RESERVE_MODE_UNSPECIFIED: ReserveMode
RESERVE_MODE_NORMAL: ReserveMode
RESERVE_MODE_BEST_EFFORT: ReserveMode
OVERAGE_UNSPECIFIED: Overage
OVERAGE_REFUSED: Overage
OVERAGE_AVAILABLE: Overage
USAGE_RULE_UNSPECIFIED: UsageRule
USAGE_RULE_KEPT: UsageRule
USAGE_RULE_RESET: UsageRule
ADJUSTMENT_REASON_UNSPECIFIED: AdjustmentReason
ADJUSTMENT_REASON_REFUND: AdjustmentReason
ADJUSTMENT_REASON_CHARGEBACK: AdjustmentReason
ADJUSTMENT_REASON_CORRECTION: AdjustmentReason
HOLD_STATE_UNSPECIFIED: HoldState
HOLD_STATE_HELD: HoldState
HOLD_STATE_SETTLED: HoldState
HOLD_STATE_RELEASED: HoldState
HOLD_STATE_EXPIRED: HoldState
HOLD_STATE_VOIDED: HoldState
ACCOUNT_UNSPECIFIED: Account
ACCOUNT_ISSUED: Account
ACCOUNT_AVAILABLE: Account
ACCOUNT_CONSUMED: Account
ACCOUNT_LAPSED: Account
ACCOUNT_RECLAIMED: Account
ENTRY_KIND_UNSPECIFIED: EntryKind
ENTRY_KIND_ALLOWANCE: EntryKind
ENTRY_KIND_GRANT: EntryKind
ENTRY_KIND_CHARGE: EntryKind
ENTRY_KIND_LAPSE: EntryKind
ENTRY_KIND_ROLLOVER: EntryKind
ENTRY_KIND_RETURN: EntryKind
ENTRY_KIND_ADJUSTMENT: EntryKind

class Quota(_message.Message):
    __slots__ = ("name", "plan", "meters", "time_zone", "entitlement")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    METERS_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    ENTITLEMENT_FIELD_NUMBER: _ClassVar[int]
    name: str
    plan: str
    meters: _containers.RepeatedCompositeFieldContainer[Decision]
    time_zone: str
    entitlement: Entitlement
    def __init__(self, name: _Optional[str] = ..., plan: _Optional[str] = ..., meters: _Optional[_Iterable[_Union[Decision, _Mapping]]] = ..., time_zone: _Optional[str] = ..., entitlement: _Optional[_Union[Entitlement, _Mapping]] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("meter", "unlimited", "limit", "granted", "used", "held", "remaining", "reset_time", "local_reset_time", "outcome", "reason", "amount", "soft_limit_reached", "shadow", "plan", "unlocks", "message")
    METER_FIELD_NUMBER: _ClassVar[int]
    UNLIMITED_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    GRANTED_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    RESET_TIME_FIELD_NUMBER: _ClassVar[int]
    LOCAL_RESET_TIME_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    SOFT_LIMIT_REACHED_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    UNLOCKS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    meter: str
    unlimited: bool
    limit: int
    granted: int
    used: int
    held: int
    remaining: int
    reset_time: _timestamp_pb2.Timestamp
    local_reset_time: str
    outcome: Outcome
    reason: Reason
    amount: int
    soft_limit_reached: bool
    shadow: bool
    plan: str
    unlocks: _containers.RepeatedCompositeFieldContainer[Unlock]
    message: str
    def __init__(self, meter: _Optional[str] = ..., unlimited: _Optional[bool] = ..., limit: _Optional[int] = ..., granted: _Optional[int] = ..., used: _Optional[int] = ..., held: _Optional[int] = ..., remaining: _Optional[int] = ..., reset_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., local_reset_time: _Optional[str] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., reason: _Optional[_Union[Reason, str]] = ..., amount: _Optional[int] = ..., soft_limit_reached: _Optional[bool] = ..., shadow: _Optional[bool] = ..., plan: _Optional[str] = ..., unlocks: _Optional[_Iterable[_Union[Unlock, _Mapping]]] = ..., message: _Optional[str] = ...) -> None: ...

class Unlock(_message.Message):
    __slots__ = ("plan", "display_name", "unlimited", "amount", "period")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    UNLIMITED_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    plan: str
    display_name: str
    unlimited: bool
    amount: int
    period: str
    def __init__(self, plan: _Optional[str] = ..., display_name: _Optional[str] = ..., unlimited: _Optional[bool] = ..., amount: _Optional[int] = ..., period: _Optional[str] = ...) -> None: ...

class QuotaEvent(_message.Message):
    __slots__ = ("quota", "finished", "failed")
    QUOTA_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    quota: Quota
    finished: Finished
    failed: Failed
    def __init__(self, quota: _Optional[_Union[Quota, _Mapping]] = ..., finished: _Optional[_Union[Finished, _Mapping]] = ..., failed: _Optional[_Union[Failed, _Mapping]] = ...) -> None: ...

class Finished(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Failed(_message.Message):
    __slots__ = ("reason", "message")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    reason: str
    message: str
    def __init__(self, reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class Amount(_message.Message):
    __slots__ = ("meter", "amount")
    METER_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    meter: str
    amount: int
    def __init__(self, meter: _Optional[str] = ..., amount: _Optional[int] = ...) -> None: ...

class Hold(_message.Message):
    __slots__ = ("name", "lines", "state", "create_time", "expire_time", "resolve_time", "voided_by", "void_reason")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    RESOLVE_TIME_FIELD_NUMBER: _ClassVar[int]
    VOIDED_BY_FIELD_NUMBER: _ClassVar[int]
    VOID_REASON_FIELD_NUMBER: _ClassVar[int]
    name: str
    lines: _containers.RepeatedCompositeFieldContainer[HoldLine]
    state: HoldState
    create_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    resolve_time: _timestamp_pb2.Timestamp
    voided_by: str
    void_reason: str
    def __init__(self, name: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[HoldLine, _Mapping]]] = ..., state: _Optional[_Union[HoldState, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., resolve_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., voided_by: _Optional[str] = ..., void_reason: _Optional[str] = ...) -> None: ...

class HoldLine(_message.Message):
    __slots__ = ("meter", "amount", "settled_amount", "uncovered_amount", "remaining_amount")
    METER_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    SETTLED_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    UNCOVERED_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    REMAINING_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    meter: str
    amount: int
    settled_amount: int
    uncovered_amount: int
    remaining_amount: int
    def __init__(self, meter: _Optional[str] = ..., amount: _Optional[int] = ..., settled_amount: _Optional[int] = ..., uncovered_amount: _Optional[int] = ..., remaining_amount: _Optional[int] = ...) -> None: ...

class Credit(_message.Message):
    __slots__ = ("name", "meter", "amount", "source", "priority", "start_time", "expire_time", "rollover")
    NAME_FIELD_NUMBER: _ClassVar[int]
    METER_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    ROLLOVER_FIELD_NUMBER: _ClassVar[int]
    name: str
    meter: str
    amount: int
    source: Source
    priority: int
    start_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    rollover: int
    def __init__(self, name: _Optional[str] = ..., meter: _Optional[str] = ..., amount: _Optional[int] = ..., source: _Optional[_Union[Source, str]] = ..., priority: _Optional[int] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., rollover: _Optional[int] = ...) -> None: ...

class Adjustment(_message.Message):
    __slots__ = ("name", "meter", "amount", "reason", "balance", "overdrawn", "create_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    METER_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    OVERDRAWN_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    meter: str
    amount: int
    reason: AdjustmentReason
    balance: int
    overdrawn: bool
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., meter: _Optional[str] = ..., amount: _Optional[int] = ..., reason: _Optional[_Union[AdjustmentReason, str]] = ..., balance: _Optional[int] = ..., overdrawn: _Optional[bool] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PlanChange(_message.Message):
    __slots__ = ("name", "plan", "previous_plan", "create_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_PLAN_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    plan: str
    previous_plan: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., plan: _Optional[str] = ..., previous_plan: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Entry(_message.Message):
    __slots__ = ("name", "meter", "amount", "kind", "debit", "credit", "source", "balance", "hold", "usage", "create_time", "credit_name")
    NAME_FIELD_NUMBER: _ClassVar[int]
    METER_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    DEBIT_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    BALANCE_FIELD_NUMBER: _ClassVar[int]
    HOLD_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    CREDIT_NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    meter: str
    amount: int
    kind: EntryKind
    debit: Account
    credit: Account
    source: Source
    balance: int
    hold: str
    usage: Usage
    create_time: _timestamp_pb2.Timestamp
    credit_name: str
    def __init__(self, name: _Optional[str] = ..., meter: _Optional[str] = ..., amount: _Optional[int] = ..., kind: _Optional[_Union[EntryKind, str]] = ..., debit: _Optional[_Union[Account, str]] = ..., credit: _Optional[_Union[Account, str]] = ..., source: _Optional[_Union[Source, str]] = ..., balance: _Optional[int] = ..., hold: _Optional[str] = ..., usage: _Optional[_Union[Usage, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., credit_name: _Optional[str] = ...) -> None: ...

class Usage(_message.Message):
    __slots__ = ("resource", "model", "input_tokens", "output_tokens")
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    resource: str
    model: str
    input_tokens: int
    output_tokens: int
    def __init__(self, resource: _Optional[str] = ..., model: _Optional[str] = ..., input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ...) -> None: ...

class Entitlement(_message.Message):
    __slots__ = ("plan", "context_tokens")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    plan: str
    context_tokens: int
    def __init__(self, plan: _Optional[str] = ..., context_tokens: _Optional[int] = ...) -> None: ...

class GetQuotaRequest(_message.Message):
    __slots__ = ("name", "read_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    READ_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    read_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., read_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class WatchQuotaRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class UpdateQuotaRequest(_message.Message):
    __slots__ = ("quota", "update_mask")
    QUOTA_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    quota: Quota
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, quota: _Optional[_Union[Quota, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class ListEntriesRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token", "meter", "source", "start_time", "end_time")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    METER_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    meter: str
    source: Source
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., meter: _Optional[str] = ..., source: _Optional[_Union[Source, str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListEntriesResponse(_message.Message):
    __slots__ = ("entries", "next_page_token")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[Entry]
    next_page_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[Entry, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CheckAdmissionRequest(_message.Message):
    __slots__ = ("parent", "meter", "amount")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    METER_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    parent: str
    meter: str
    amount: int
    def __init__(self, parent: _Optional[str] = ..., meter: _Optional[str] = ..., amount: _Optional[int] = ...) -> None: ...

class ReserveRequest(_message.Message):
    __slots__ = ("parent", "request_id", "amounts", "time_to_live", "mode", "overage")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNTS_FIELD_NUMBER: _ClassVar[int]
    TIME_TO_LIVE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    OVERAGE_FIELD_NUMBER: _ClassVar[int]
    parent: str
    request_id: str
    amounts: _containers.RepeatedCompositeFieldContainer[Amount]
    time_to_live: _duration_pb2.Duration
    mode: ReserveMode
    overage: Overage
    def __init__(self, parent: _Optional[str] = ..., request_id: _Optional[str] = ..., amounts: _Optional[_Iterable[_Union[Amount, _Mapping]]] = ..., time_to_live: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., mode: _Optional[_Union[ReserveMode, str]] = ..., overage: _Optional[_Union[Overage, str]] = ...) -> None: ...

class ReserveResponse(_message.Message):
    __slots__ = ("hold", "entitlement", "decisions")
    HOLD_FIELD_NUMBER: _ClassVar[int]
    ENTITLEMENT_FIELD_NUMBER: _ClassVar[int]
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    hold: Hold
    entitlement: Entitlement
    decisions: _containers.RepeatedCompositeFieldContainer[Decision]
    def __init__(self, hold: _Optional[_Union[Hold, _Mapping]] = ..., entitlement: _Optional[_Union[Entitlement, _Mapping]] = ..., decisions: _Optional[_Iterable[_Union[Decision, _Mapping]]] = ...) -> None: ...

class ExtendHoldRequest(_message.Message):
    __slots__ = ("name", "amounts", "time_to_live", "mode")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AMOUNTS_FIELD_NUMBER: _ClassVar[int]
    TIME_TO_LIVE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    name: str
    amounts: _containers.RepeatedCompositeFieldContainer[Amount]
    time_to_live: _duration_pb2.Duration
    mode: ReserveMode
    def __init__(self, name: _Optional[str] = ..., amounts: _Optional[_Iterable[_Union[Amount, _Mapping]]] = ..., time_to_live: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., mode: _Optional[_Union[ReserveMode, str]] = ...) -> None: ...

class SettleRequest(_message.Message):
    __slots__ = ("name", "amounts", "usage")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AMOUNTS_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    name: str
    amounts: _containers.RepeatedCompositeFieldContainer[Amount]
    usage: Usage
    def __init__(self, name: _Optional[str] = ..., amounts: _Optional[_Iterable[_Union[Amount, _Mapping]]] = ..., usage: _Optional[_Union[Usage, _Mapping]] = ...) -> None: ...

class ReleaseRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class BatchReserveRequest(_message.Message):
    __slots__ = ("requests", "all_or_nothing")
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    ALL_OR_NOTHING_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[ReserveRequest]
    all_or_nothing: bool
    def __init__(self, requests: _Optional[_Iterable[_Union[ReserveRequest, _Mapping]]] = ..., all_or_nothing: _Optional[bool] = ...) -> None: ...

class BatchReserveResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[HoldResult]
    def __init__(self, results: _Optional[_Iterable[_Union[HoldResult, _Mapping]]] = ...) -> None: ...

class BatchSettleRequest(_message.Message):
    __slots__ = ("requests", "all_or_nothing")
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    ALL_OR_NOTHING_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[SettleRequest]
    all_or_nothing: bool
    def __init__(self, requests: _Optional[_Iterable[_Union[SettleRequest, _Mapping]]] = ..., all_or_nothing: _Optional[bool] = ...) -> None: ...

class BatchSettleResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[HoldResult]
    def __init__(self, results: _Optional[_Iterable[_Union[HoldResult, _Mapping]]] = ...) -> None: ...

class HoldResult(_message.Message):
    __slots__ = ("hold", "error")
    HOLD_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    hold: Hold
    error: HoldError
    def __init__(self, hold: _Optional[_Union[Hold, _Mapping]] = ..., error: _Optional[_Union[HoldError, _Mapping]] = ...) -> None: ...

class HoldError(_message.Message):
    __slots__ = ("code", "reason", "message", "decision")
    CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    code: int
    reason: str
    message: str
    decision: Decision
    def __init__(self, code: _Optional[int] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., decision: _Optional[_Union[Decision, _Mapping]] = ...) -> None: ...

class GrantRequest(_message.Message):
    __slots__ = ("parent", "request_id", "meter", "amount", "source", "priority", "start_time", "expire_time", "rollover")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    METER_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    ROLLOVER_FIELD_NUMBER: _ClassVar[int]
    parent: str
    request_id: str
    meter: str
    amount: int
    source: Source
    priority: int
    start_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    rollover: int
    def __init__(self, parent: _Optional[str] = ..., request_id: _Optional[str] = ..., meter: _Optional[str] = ..., amount: _Optional[int] = ..., source: _Optional[_Union[Source, str]] = ..., priority: _Optional[int] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., rollover: _Optional[int] = ...) -> None: ...

class AdjustRequest(_message.Message):
    __slots__ = ("parent", "request_id", "meter", "amount", "reason", "credit")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    METER_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    parent: str
    request_id: str
    meter: str
    amount: int
    reason: AdjustmentReason
    credit: str
    def __init__(self, parent: _Optional[str] = ..., request_id: _Optional[str] = ..., meter: _Optional[str] = ..., amount: _Optional[int] = ..., reason: _Optional[_Union[AdjustmentReason, str]] = ..., credit: _Optional[str] = ...) -> None: ...

class SetPlanRequest(_message.Message):
    __slots__ = ("parent", "request_id", "plan", "usage", "anchor_time")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    ANCHOR_TIME_FIELD_NUMBER: _ClassVar[int]
    parent: str
    request_id: str
    plan: str
    usage: UsageRule
    anchor_time: _timestamp_pb2.Timestamp
    def __init__(self, parent: _Optional[str] = ..., request_id: _Optional[str] = ..., plan: _Optional[str] = ..., usage: _Optional[_Union[UsageRule, str]] = ..., anchor_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListHoldsRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token", "state")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    state: HoldState
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., state: _Optional[_Union[HoldState, str]] = ...) -> None: ...

class ListHoldsResponse(_message.Message):
    __slots__ = ("holds", "next_page_token")
    HOLDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    holds: _containers.RepeatedCompositeFieldContainer[Hold]
    next_page_token: str
    def __init__(self, holds: _Optional[_Iterable[_Union[Hold, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class VoidHoldRequest(_message.Message):
    __slots__ = ("name", "reason")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    name: str
    reason: str
    def __init__(self, name: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...
