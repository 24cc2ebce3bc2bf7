import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import money_pb2 as _money_pb2
from scenemesh.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Interval(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INTERVAL_UNSPECIFIED: _ClassVar[Interval]
    INTERVAL_WEEK: _ClassVar[Interval]
    INTERVAL_MONTH: _ClassVar[Interval]
    INTERVAL_YEAR: _ClassVar[Interval]

class Period(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PERIOD_UNSPECIFIED: _ClassVar[Period]
    PERIOD_DAY: _ClassVar[Period]
    PERIOD_MONTH: _ClassVar[Period]
    PERIOD_ROLLING: _ClassVar[Period]

class Provider(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROVIDER_UNSPECIFIED: _ClassVar[Provider]
    PROVIDER_STRIPE: _ClassVar[Provider]
    PROVIDER_REVENUECAT: _ClassVar[Provider]
    PROVIDER_LEMON_SQUEEZY: _ClassVar[Provider]
    PROVIDER_CRYPTOMUS: _ClassVar[Provider]
    PROVIDER_PROMO: _ClassVar[Provider]

class Standing(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STANDING_UNSPECIFIED: _ClassVar[Standing]
    STANDING_CURRENT: _ClassVar[Standing]
    STANDING_UPGRADE: _ClassVar[Standing]
    STANDING_DOWNGRADE: _ClassVar[Standing]

class SubscriptionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SUBSCRIPTION_STATE_UNSPECIFIED: _ClassVar[SubscriptionState]
    SUBSCRIPTION_STATE_ACTIVE: _ClassVar[SubscriptionState]
    SUBSCRIPTION_STATE_CANCELLED: _ClassVar[SubscriptionState]
    SUBSCRIPTION_STATE_PAUSED: _ClassVar[SubscriptionState]
    SUBSCRIPTION_STATE_TRIALING: _ClassVar[SubscriptionState]
    SUBSCRIPTION_STATE_PAST_DUE: _ClassVar[SubscriptionState]
    SUBSCRIPTION_STATE_EXPIRED: _ClassVar[SubscriptionState]

class InvoiceState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INVOICE_STATE_UNSPECIFIED: _ClassVar[InvoiceState]
    INVOICE_STATE_PAID: _ClassVar[InvoiceState]
    INVOICE_STATE_OPEN: _ClassVar[InvoiceState]
    INVOICE_STATE_REFUNDED: _ClassVar[InvoiceState]
    INVOICE_STATE_DISPUTED: _ClassVar[InvoiceState]
    INVOICE_STATE_VOID: _ClassVar[InvoiceState]

class DriftKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DRIFT_KIND_UNSPECIFIED: _ClassVar[DriftKind]
    DRIFT_KIND_AGREEMENT_UNKNOWN: _ClassVar[DriftKind]
    DRIFT_KIND_AGREEMENT_DIFFERS: _ClassVar[DriftKind]
    DRIFT_KIND_AGREEMENT_GONE: _ClassVar[DriftKind]
    DRIFT_KIND_PAYMENT_UNKNOWN: _ClassVar[DriftKind]
    DRIFT_KIND_PAYMENT_DIFFERS: _ClassVar[DriftKind]
    DRIFT_KIND_PLAN_DIFFERS: _ClassVar[DriftKind]
    DRIFT_KIND_CREDIT_MISSING: _ClassVar[DriftKind]
    DRIFT_KIND_EFFECT_STUCK: _ClassVar[DriftKind]
    DRIFT_KIND_OWNER_UNKNOWN: _ClassVar[DriftKind]
INTERVAL_UNSPECIFIED: Interval
INTERVAL_WEEK: Interval
INTERVAL_MONTH: Interval
INTERVAL_YEAR: Interval
PERIOD_UNSPECIFIED: Period
PERIOD_DAY: Period
PERIOD_MONTH: Period
PERIOD_ROLLING: Period
PROVIDER_UNSPECIFIED: Provider
PROVIDER_STRIPE: Provider
PROVIDER_REVENUECAT: Provider
PROVIDER_LEMON_SQUEEZY: Provider
PROVIDER_CRYPTOMUS: Provider
PROVIDER_PROMO: Provider
STANDING_UNSPECIFIED: Standing
STANDING_CURRENT: Standing
STANDING_UPGRADE: Standing
STANDING_DOWNGRADE: Standing
SUBSCRIPTION_STATE_UNSPECIFIED: SubscriptionState
SUBSCRIPTION_STATE_ACTIVE: SubscriptionState
SUBSCRIPTION_STATE_CANCELLED: SubscriptionState
SUBSCRIPTION_STATE_PAUSED: SubscriptionState
SUBSCRIPTION_STATE_TRIALING: SubscriptionState
SUBSCRIPTION_STATE_PAST_DUE: SubscriptionState
SUBSCRIPTION_STATE_EXPIRED: SubscriptionState
INVOICE_STATE_UNSPECIFIED: InvoiceState
INVOICE_STATE_PAID: InvoiceState
INVOICE_STATE_OPEN: InvoiceState
INVOICE_STATE_REFUNDED: InvoiceState
INVOICE_STATE_DISPUTED: InvoiceState
INVOICE_STATE_VOID: InvoiceState
DRIFT_KIND_UNSPECIFIED: DriftKind
DRIFT_KIND_AGREEMENT_UNKNOWN: DriftKind
DRIFT_KIND_AGREEMENT_DIFFERS: DriftKind
DRIFT_KIND_AGREEMENT_GONE: DriftKind
DRIFT_KIND_PAYMENT_UNKNOWN: DriftKind
DRIFT_KIND_PAYMENT_DIFFERS: DriftKind
DRIFT_KIND_PLAN_DIFFERS: DriftKind
DRIFT_KIND_CREDIT_MISSING: DriftKind
DRIFT_KIND_EFFECT_STUCK: DriftKind
DRIFT_KIND_OWNER_UNKNOWN: DriftKind

class Plan(_message.Message):
    __slots__ = ("name", "display_name", "prices", "allowances", "context_tokens", "trial_days", "standing")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    PRICES_FIELD_NUMBER: _ClassVar[int]
    ALLOWANCES_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TRIAL_DAYS_FIELD_NUMBER: _ClassVar[int]
    STANDING_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    prices: _containers.RepeatedCompositeFieldContainer[Price]
    allowances: _containers.RepeatedCompositeFieldContainer[Allowance]
    context_tokens: int
    trial_days: int
    standing: Standing
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., prices: _Optional[_Iterable[_Union[Price, _Mapping]]] = ..., allowances: _Optional[_Iterable[_Union[Allowance, _Mapping]]] = ..., context_tokens: _Optional[int] = ..., trial_days: _Optional[int] = ..., standing: _Optional[_Union[Standing, str]] = ...) -> None: ...

class Price(_message.Message):
    __slots__ = ("interval", "amount", "credits", "providers")
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    PROVIDERS_FIELD_NUMBER: _ClassVar[int]
    interval: Interval
    amount: _money_pb2.Money
    credits: int
    providers: _containers.RepeatedScalarFieldContainer[Provider]
    def __init__(self, interval: _Optional[_Union[Interval, str]] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., credits: _Optional[int] = ..., providers: _Optional[_Iterable[_Union[Provider, str]]] = ...) -> None: ...

class Pack(_message.Message):
    __slots__ = ("name", "display_name", "credits", "amount", "providers")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PROVIDERS_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    credits: int
    amount: _money_pb2.Money
    providers: _containers.RepeatedScalarFieldContainer[Provider]
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., credits: _Optional[int] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., providers: _Optional[_Iterable[_Union[Provider, str]]] = ...) -> None: ...

class Allowance(_message.Message):
    __slots__ = ("meter", "unlimited", "amount", "period", "window", "rollover", "shadow", "gain")
    METER_FIELD_NUMBER: _ClassVar[int]
    UNLIMITED_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    ROLLOVER_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    GAIN_FIELD_NUMBER: _ClassVar[int]
    meter: str
    unlimited: bool
    amount: int
    period: Period
    window: _duration_pb2.Duration
    rollover: int
    shadow: bool
    gain: int
    def __init__(self, meter: _Optional[str] = ..., unlimited: _Optional[bool] = ..., amount: _Optional[int] = ..., period: _Optional[_Union[Period, str]] = ..., window: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., rollover: _Optional[int] = ..., shadow: _Optional[bool] = ..., gain: _Optional[int] = ...) -> None: ...

class Subscription(_message.Message):
    __slots__ = ("name", "plan", "state", "period_end_time", "provider", "interval", "next_plan", "next_interval", "grace_end_time", "resume_time", "agreements")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_TIME_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    NEXT_PLAN_FIELD_NUMBER: _ClassVar[int]
    NEXT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    GRACE_END_TIME_FIELD_NUMBER: _ClassVar[int]
    RESUME_TIME_FIELD_NUMBER: _ClassVar[int]
    AGREEMENTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    plan: str
    state: SubscriptionState
    period_end_time: _timestamp_pb2.Timestamp
    provider: Provider
    interval: Interval
    next_plan: str
    next_interval: Interval
    grace_end_time: _timestamp_pb2.Timestamp
    resume_time: _timestamp_pb2.Timestamp
    agreements: _containers.RepeatedCompositeFieldContainer[Agreement]
    def __init__(self, name: _Optional[str] = ..., plan: _Optional[str] = ..., state: _Optional[_Union[SubscriptionState, str]] = ..., period_end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., provider: _Optional[_Union[Provider, str]] = ..., interval: _Optional[_Union[Interval, str]] = ..., next_plan: _Optional[str] = ..., next_interval: _Optional[_Union[Interval, str]] = ..., grace_end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., resume_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., agreements: _Optional[_Iterable[_Union[Agreement, _Mapping]]] = ...) -> None: ...

class Agreement(_message.Message):
    __slots__ = ("provider", "id", "plan", "interval", "state", "period_end_time", "in_force")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PERIOD_END_TIME_FIELD_NUMBER: _ClassVar[int]
    IN_FORCE_FIELD_NUMBER: _ClassVar[int]
    provider: Provider
    id: str
    plan: str
    interval: Interval
    state: SubscriptionState
    period_end_time: _timestamp_pb2.Timestamp
    in_force: bool
    def __init__(self, provider: _Optional[_Union[Provider, str]] = ..., id: _Optional[str] = ..., plan: _Optional[str] = ..., interval: _Optional[_Union[Interval, str]] = ..., state: _Optional[_Union[SubscriptionState, str]] = ..., period_end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., in_force: _Optional[bool] = ...) -> None: ...

class CheckoutSession(_message.Message):
    __slots__ = ("name", "url", "expire_time", "test_mode")
    NAME_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    TEST_MODE_FIELD_NUMBER: _ClassVar[int]
    name: str
    url: str
    expire_time: _timestamp_pb2.Timestamp
    test_mode: bool
    def __init__(self, name: _Optional[str] = ..., url: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., test_mode: _Optional[bool] = ...) -> None: ...

class PortalSession(_message.Message):
    __slots__ = ("url", "test_mode")
    URL_FIELD_NUMBER: _ClassVar[int]
    TEST_MODE_FIELD_NUMBER: _ClassVar[int]
    url: str
    test_mode: bool
    def __init__(self, url: _Optional[str] = ..., test_mode: _Optional[bool] = ...) -> None: ...

class SubscriptionChange(_message.Message):
    __slots__ = ("subscription", "effective_time", "amount_due", "credited")
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_DUE_FIELD_NUMBER: _ClassVar[int]
    CREDITED_FIELD_NUMBER: _ClassVar[int]
    subscription: Subscription
    effective_time: _timestamp_pb2.Timestamp
    amount_due: _money_pb2.Money
    credited: _money_pb2.Money
    def __init__(self, subscription: _Optional[_Union[Subscription, _Mapping]] = ..., effective_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., amount_due: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., credited: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class Invoice(_message.Message):
    __slots__ = ("name", "provider", "state", "amount", "refunded", "create_time", "lines", "number", "url")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    REFUNDED_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    name: str
    provider: Provider
    state: InvoiceState
    amount: _money_pb2.Money
    refunded: _money_pb2.Money
    create_time: _timestamp_pb2.Timestamp
    lines: _containers.RepeatedCompositeFieldContainer[InvoiceLine]
    number: str
    url: str
    def __init__(self, name: _Optional[str] = ..., provider: _Optional[_Union[Provider, str]] = ..., state: _Optional[_Union[InvoiceState, str]] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., refunded: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lines: _Optional[_Iterable[_Union[InvoiceLine, _Mapping]]] = ..., number: _Optional[str] = ..., url: _Optional[str] = ...) -> None: ...

class InvoiceLine(_message.Message):
    __slots__ = ("article", "amount", "start_time", "end_time", "credits", "credits_reclaimed", "credit")
    ARTICLE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    CREDITS_RECLAIMED_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    article: str
    amount: _money_pb2.Money
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    credits: int
    credits_reclaimed: int
    credit: str
    def __init__(self, article: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., credits: _Optional[int] = ..., credits_reclaimed: _Optional[int] = ..., credit: _Optional[str] = ...) -> None: ...

class PromoCode(_message.Message):
    __slots__ = ("name", "gift", "redemptions_max", "redemptions_max_per_user", "expire_time", "redemptions", "create_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    GIFT_FIELD_NUMBER: _ClassVar[int]
    REDEMPTIONS_MAX_FIELD_NUMBER: _ClassVar[int]
    REDEMPTIONS_MAX_PER_USER_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    REDEMPTIONS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    gift: Gift
    redemptions_max: int
    redemptions_max_per_user: int
    expire_time: _timestamp_pb2.Timestamp
    redemptions: int
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., gift: _Optional[_Union[Gift, _Mapping]] = ..., redemptions_max: _Optional[int] = ..., redemptions_max_per_user: _Optional[int] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., redemptions: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Gift(_message.Message):
    __slots__ = ("credits", "plan_days")
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    PLAN_DAYS_FIELD_NUMBER: _ClassVar[int]
    credits: int
    plan_days: PlanDays
    def __init__(self, credits: _Optional[int] = ..., plan_days: _Optional[_Union[PlanDays, _Mapping]] = ...) -> None: ...

class PlanDays(_message.Message):
    __slots__ = ("plan", "days")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    plan: str
    days: int
    def __init__(self, plan: _Optional[str] = ..., days: _Optional[int] = ...) -> None: ...

class Redemption(_message.Message):
    __slots__ = ("promo_code", "gift", "subscription")
    PROMO_CODE_FIELD_NUMBER: _ClassVar[int]
    GIFT_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    promo_code: str
    gift: Gift
    subscription: Subscription
    def __init__(self, promo_code: _Optional[str] = ..., gift: _Optional[_Union[Gift, _Mapping]] = ..., subscription: _Optional[_Union[Subscription, _Mapping]] = ...) -> None: ...

class ReconcileEvent(_message.Message):
    __slots__ = ("progress", "drift", "finished", "failed")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    DRIFT_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    progress: ReconcileProgress
    drift: Drift
    finished: ReconcileFinished
    failed: ReconcileFailed
    def __init__(self, progress: _Optional[_Union[ReconcileProgress, _Mapping]] = ..., drift: _Optional[_Union[Drift, _Mapping]] = ..., finished: _Optional[_Union[ReconcileFinished, _Mapping]] = ..., failed: _Optional[_Union[ReconcileFailed, _Mapping]] = ...) -> None: ...

class ReconcileProgress(_message.Message):
    __slots__ = ("compared",)
    COMPARED_FIELD_NUMBER: _ClassVar[int]
    compared: int
    def __init__(self, compared: _Optional[int] = ...) -> None: ...

class Drift(_message.Message):
    __slots__ = ("kind", "user", "id", "ours", "theirs", "repaired")
    KIND_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    OURS_FIELD_NUMBER: _ClassVar[int]
    THEIRS_FIELD_NUMBER: _ClassVar[int]
    REPAIRED_FIELD_NUMBER: _ClassVar[int]
    kind: DriftKind
    user: str
    id: str
    ours: str
    theirs: str
    repaired: bool
    def __init__(self, kind: _Optional[_Union[DriftKind, str]] = ..., user: _Optional[str] = ..., id: _Optional[str] = ..., ours: _Optional[str] = ..., theirs: _Optional[str] = ..., repaired: _Optional[bool] = ...) -> None: ...

class ReconcileFinished(_message.Message):
    __slots__ = ("compared", "drifts", "repaired")
    COMPARED_FIELD_NUMBER: _ClassVar[int]
    DRIFTS_FIELD_NUMBER: _ClassVar[int]
    REPAIRED_FIELD_NUMBER: _ClassVar[int]
    compared: int
    drifts: int
    repaired: int
    def __init__(self, compared: _Optional[int] = ..., drifts: _Optional[int] = ..., repaired: _Optional[int] = ...) -> None: ...

class ReconcileFailed(_message.Message):
    __slots__ = ("reason", "message")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    reason: str
    message: str
    def __init__(self, reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class ListPlansRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListPlansResponse(_message.Message):
    __slots__ = ("plans", "packs")
    PLANS_FIELD_NUMBER: _ClassVar[int]
    PACKS_FIELD_NUMBER: _ClassVar[int]
    plans: _containers.RepeatedCompositeFieldContainer[Plan]
    packs: _containers.RepeatedCompositeFieldContainer[Pack]
    def __init__(self, plans: _Optional[_Iterable[_Union[Plan, _Mapping]]] = ..., packs: _Optional[_Iterable[_Union[Pack, _Mapping]]] = ...) -> None: ...

class GetSubscriptionRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class CreateCheckoutSessionRequest(_message.Message):
    __slots__ = ("parent", "request_id", "plan", "pack", "provider", "promo_code", "success_url", "cancel_url")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    PACK_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    PROMO_CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_URL_FIELD_NUMBER: _ClassVar[int]
    CANCEL_URL_FIELD_NUMBER: _ClassVar[int]
    parent: str
    request_id: str
    plan: PlanChoice
    pack: str
    provider: Provider
    promo_code: str
    success_url: str
    cancel_url: str
    def __init__(self, parent: _Optional[str] = ..., request_id: _Optional[str] = ..., plan: _Optional[_Union[PlanChoice, _Mapping]] = ..., pack: _Optional[str] = ..., provider: _Optional[_Union[Provider, str]] = ..., promo_code: _Optional[str] = ..., success_url: _Optional[str] = ..., cancel_url: _Optional[str] = ...) -> None: ...

class PlanChoice(_message.Message):
    __slots__ = ("plan", "interval", "trial")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    TRIAL_FIELD_NUMBER: _ClassVar[int]
    plan: str
    interval: Interval
    trial: bool
    def __init__(self, plan: _Optional[str] = ..., interval: _Optional[_Union[Interval, str]] = ..., trial: _Optional[bool] = ...) -> None: ...

class CreatePortalSessionRequest(_message.Message):
    __slots__ = ("parent", "return_url")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    RETURN_URL_FIELD_NUMBER: _ClassVar[int]
    parent: str
    return_url: str
    def __init__(self, parent: _Optional[str] = ..., return_url: _Optional[str] = ...) -> None: ...

class ChangeSubscriptionRequest(_message.Message):
    __slots__ = ("name", "request_id", "plan", "interval", "validate_only")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    plan: str
    interval: Interval
    validate_only: bool
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ..., plan: _Optional[str] = ..., interval: _Optional[_Union[Interval, str]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class CancelSubscriptionRequest(_message.Message):
    __slots__ = ("name", "request_id", "immediately")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    IMMEDIATELY_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    immediately: bool
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ..., immediately: _Optional[bool] = ...) -> None: ...

class PauseSubscriptionRequest(_message.Message):
    __slots__ = ("name", "request_id", "resume_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RESUME_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    resume_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ..., resume_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ResumeSubscriptionRequest(_message.Message):
    __slots__ = ("name", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class ListInvoicesRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListInvoicesResponse(_message.Message):
    __slots__ = ("invoices", "next_page_token")
    INVOICES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    invoices: _containers.RepeatedCompositeFieldContainer[Invoice]
    next_page_token: str
    def __init__(self, invoices: _Optional[_Iterable[_Union[Invoice, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class BuyCreditsRequest(_message.Message):
    __slots__ = ("parent", "request_id", "pack")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PACK_FIELD_NUMBER: _ClassVar[int]
    parent: str
    request_id: str
    pack: str
    def __init__(self, parent: _Optional[str] = ..., request_id: _Optional[str] = ..., pack: _Optional[str] = ...) -> None: ...

class RedeemPromoCodeRequest(_message.Message):
    __slots__ = ("parent", "request_id", "code")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    parent: str
    request_id: str
    code: str
    def __init__(self, parent: _Optional[str] = ..., request_id: _Optional[str] = ..., code: _Optional[str] = ...) -> None: ...

class CreatePromoCodeRequest(_message.Message):
    __slots__ = ("code", "gift", "redemptions_max", "redemptions_max_per_user", "expire_time")
    CODE_FIELD_NUMBER: _ClassVar[int]
    GIFT_FIELD_NUMBER: _ClassVar[int]
    REDEMPTIONS_MAX_FIELD_NUMBER: _ClassVar[int]
    REDEMPTIONS_MAX_PER_USER_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    code: str
    gift: Gift
    redemptions_max: int
    redemptions_max_per_user: int
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, code: _Optional[str] = ..., gift: _Optional[_Union[Gift, _Mapping]] = ..., redemptions_max: _Optional[int] = ..., redemptions_max_per_user: _Optional[int] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListPromoCodesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPromoCodesResponse(_message.Message):
    __slots__ = ("promo_codes", "next_page_token")
    PROMO_CODES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    promo_codes: _containers.RepeatedCompositeFieldContainer[PromoCode]
    next_page_token: str
    def __init__(self, promo_codes: _Optional[_Iterable[_Union[PromoCode, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ReconcileRequest(_message.Message):
    __slots__ = ("validate_only", "user")
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    validate_only: bool
    user: str
    def __init__(self, validate_only: _Optional[bool] = ..., user: _Optional[str] = ...) -> None: ...
