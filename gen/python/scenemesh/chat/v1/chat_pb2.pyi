import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import empty_pb2 as _empty_pb2
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

class TurnOrder(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TURN_ORDER_UNSPECIFIED: _ClassVar[TurnOrder]
    TURN_ORDER_NATURAL: _ClassVar[TurnOrder]
    TURN_ORDER_LIST: _ClassVar[TurnOrder]
    TURN_ORDER_POOLED: _ClassVar[TurnOrder]
    TURN_ORDER_MANUAL: _ClassVar[TurnOrder]

class Reaction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REACTION_UNSPECIFIED: _ClassVar[Reaction]
    REACTION_LIKE: _ClassVar[Reaction]
    REACTION_DISLIKE: _ClassVar[Reaction]

class Role(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLE_UNSPECIFIED: _ClassVar[Role]
    ROLE_USER: _ClassVar[Role]
    ROLE_CHARACTER: _ClassVar[Role]

class MessageState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MESSAGE_STATE_UNSPECIFIED: _ClassVar[MessageState]
    MESSAGE_STATE_STREAMING: _ClassVar[MessageState]
    MESSAGE_STATE_COMPLETE: _ClassVar[MessageState]
    MESSAGE_STATE_FAILED: _ClassVar[MessageState]

class FinishReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FINISH_REASON_UNSPECIFIED: _ClassVar[FinishReason]
    FINISH_REASON_STOP: _ClassVar[FinishReason]
    FINISH_REASON_LENGTH: _ClassVar[FinishReason]
    FINISH_REASON_STOPPED: _ClassVar[FinishReason]
    FINISH_REASON_QUOTA: _ClassVar[FinishReason]

class FailureReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FAILURE_REASON_UNSPECIFIED: _ClassVar[FailureReason]
    FAILURE_REASON_MODEL_UNAVAILABLE: _ClassVar[FailureReason]
    FAILURE_REASON_MODEL_CUT: _ClassVar[FailureReason]
    FAILURE_REASON_INTERRUPTED: _ClassVar[FailureReason]
    FAILURE_REASON_REFUSED: _ClassVar[FailureReason]
    FAILURE_REASON_PROMPT_TOO_LONG: _ClassVar[FailureReason]

class Fault(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FAULT_UNSPECIFIED: _ClassVar[Fault]
    FAULT_RATE_LIMITED: _ClassVar[Fault]
    FAULT_OVERLOADED: _ClassVar[Fault]
    FAULT_SERVER_FAILED: _ClassVar[Fault]
    FAULT_UNREACHABLE: _ClassVar[Fault]
    FAULT_NOT_LET_IN: _ClassVar[Fault]
    FAULT_CONTEXT_TOO_LONG: _ClassVar[Fault]
    FAULT_REFUSED: _ClassVar[Fault]
    FAULT_REJECTED: _ClassVar[Fault]
    FAULT_STALLED: _ClassVar[Fault]
    FAULT_CUT: _ClassVar[Fault]
    FAULT_MALFORMED: _ClassVar[Fault]
    FAULT_EMPTY: _ClassVar[Fault]
    FAULT_OUTRUN: _ClassVar[Fault]
    FAULT_HANDED_OVER: _ClassVar[Fault]

class SeamMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEAM_MODE_UNSPECIFIED: _ClassVar[SeamMode]
    SEAM_MODE_CONTINUED: _ClassVar[SeamMode]
    SEAM_MODE_REPLACED: _ClassVar[SeamMode]

class SkipReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SKIP_REASON_UNSPECIFIED: _ClassVar[SkipReason]
    SKIP_REASON_CLASS: _ClassVar[SkipReason]
    SKIP_REASON_CAPABILITY: _ClassVar[SkipReason]
    SKIP_REASON_CONTEXT: _ClassVar[SkipReason]
    SKIP_REASON_RESTING: _ClassVar[SkipReason]
    SKIP_REASON_FAILED: _ClassVar[SkipReason]

class ModelClass(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODEL_CLASS_UNSPECIFIED: _ClassVar[ModelClass]
    MODEL_CLASS_STANDARD: _ClassVar[ModelClass]
    MODEL_CLASS_PREMIUM: _ClassVar[ModelClass]

class BreakerState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BREAKER_STATE_UNSPECIFIED: _ClassVar[BreakerState]
    BREAKER_STATE_CLOSED: _ClassVar[BreakerState]
    BREAKER_STATE_OPEN: _ClassVar[BreakerState]
    BREAKER_STATE_HALF_OPEN: _ClassVar[BreakerState]

class Preference(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PREFERENCE_UNSPECIFIED: _ClassVar[Preference]
    PREFERENCE_FAST: _ClassVar[Preference]
    PREFERENCE_CHEAP: _ClassVar[Preference]
    PREFERENCE_BEST: _ClassVar[Preference]
TURN_ORDER_UNSPECIFIED: TurnOrder
TURN_ORDER_NATURAL: TurnOrder
TURN_ORDER_LIST: TurnOrder
TURN_ORDER_POOLED: TurnOrder
TURN_ORDER_MANUAL: TurnOrder
REACTION_UNSPECIFIED: Reaction
REACTION_LIKE: Reaction
REACTION_DISLIKE: Reaction
ROLE_UNSPECIFIED: Role
ROLE_USER: Role
ROLE_CHARACTER: Role
MESSAGE_STATE_UNSPECIFIED: MessageState
MESSAGE_STATE_STREAMING: MessageState
MESSAGE_STATE_COMPLETE: MessageState
MESSAGE_STATE_FAILED: MessageState
FINISH_REASON_UNSPECIFIED: FinishReason
FINISH_REASON_STOP: FinishReason
FINISH_REASON_LENGTH: FinishReason
FINISH_REASON_STOPPED: FinishReason
FINISH_REASON_QUOTA: FinishReason
FAILURE_REASON_UNSPECIFIED: FailureReason
FAILURE_REASON_MODEL_UNAVAILABLE: FailureReason
FAILURE_REASON_MODEL_CUT: FailureReason
FAILURE_REASON_INTERRUPTED: FailureReason
FAILURE_REASON_REFUSED: FailureReason
FAILURE_REASON_PROMPT_TOO_LONG: FailureReason
FAULT_UNSPECIFIED: Fault
FAULT_RATE_LIMITED: Fault
FAULT_OVERLOADED: Fault
FAULT_SERVER_FAILED: Fault
FAULT_UNREACHABLE: Fault
FAULT_NOT_LET_IN: Fault
FAULT_CONTEXT_TOO_LONG: Fault
FAULT_REFUSED: Fault
FAULT_REJECTED: Fault
FAULT_STALLED: Fault
FAULT_CUT: Fault
FAULT_MALFORMED: Fault
FAULT_EMPTY: Fault
FAULT_OUTRUN: Fault
FAULT_HANDED_OVER: Fault
SEAM_MODE_UNSPECIFIED: SeamMode
SEAM_MODE_CONTINUED: SeamMode
SEAM_MODE_REPLACED: SeamMode
SKIP_REASON_UNSPECIFIED: SkipReason
SKIP_REASON_CLASS: SkipReason
SKIP_REASON_CAPABILITY: SkipReason
SKIP_REASON_CONTEXT: SkipReason
SKIP_REASON_RESTING: SkipReason
SKIP_REASON_FAILED: SkipReason
MODEL_CLASS_UNSPECIFIED: ModelClass
MODEL_CLASS_STANDARD: ModelClass
MODEL_CLASS_PREMIUM: ModelClass
BREAKER_STATE_UNSPECIFIED: BreakerState
BREAKER_STATE_CLOSED: BreakerState
BREAKER_STATE_OPEN: BreakerState
BREAKER_STATE_HALF_OPEN: BreakerState
PREFERENCE_UNSPECIFIED: Preference
PREFERENCE_FAST: Preference
PREFERENCE_CHEAP: Preference
PREFERENCE_BEST: Preference

class Conversation(_message.Message):
    __slots__ = ("name", "character", "display_name", "message_count", "create_time", "update_time", "others", "group", "archived", "current_message", "summary", "forked_from", "token_count")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CHARACTER_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    OTHERS_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    CURRENT_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    FORKED_FROM_FIELD_NUMBER: _ClassVar[int]
    TOKEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    name: str
    character: str
    display_name: str
    message_count: int
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    others: _containers.RepeatedScalarFieldContainer[str]
    group: Group
    archived: bool
    current_message: str
    summary: str
    forked_from: str
    token_count: int
    def __init__(self, name: _Optional[str] = ..., character: _Optional[str] = ..., display_name: _Optional[str] = ..., message_count: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., others: _Optional[_Iterable[str]] = ..., group: _Optional[_Union[Group, _Mapping]] = ..., archived: _Optional[bool] = ..., current_message: _Optional[str] = ..., summary: _Optional[str] = ..., forked_from: _Optional[str] = ..., token_count: _Optional[int] = ...) -> None: ...

class Group(_message.Message):
    __slots__ = ("turn_order", "talkativeness", "answers_max", "credits_max", "self_replies", "pause_seconds", "seed")
    class TalkativenessEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    TURN_ORDER_FIELD_NUMBER: _ClassVar[int]
    TALKATIVENESS_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_MAX_FIELD_NUMBER: _ClassVar[int]
    CREDITS_MAX_FIELD_NUMBER: _ClassVar[int]
    SELF_REPLIES_FIELD_NUMBER: _ClassVar[int]
    PAUSE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    turn_order: TurnOrder
    talkativeness: _containers.ScalarMap[str, int]
    answers_max: int
    credits_max: int
    self_replies: bool
    pause_seconds: int
    seed: int
    def __init__(self, turn_order: _Optional[_Union[TurnOrder, str]] = ..., talkativeness: _Optional[_Mapping[str, int]] = ..., answers_max: _Optional[int] = ..., credits_max: _Optional[int] = ..., self_replies: _Optional[bool] = ..., pause_seconds: _Optional[int] = ..., seed: _Optional[int] = ...) -> None: ...

class Message(_message.Message):
    __slots__ = ("name", "role", "text", "state", "model", "usage", "failure_reason", "create_time", "parent", "character", "media", "pinned", "reaction", "edit_time", "sibling_count", "sibling_number", "next_message")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    FAILURE_REASON_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    CHARACTER_FIELD_NUMBER: _ClassVar[int]
    MEDIA_FIELD_NUMBER: _ClassVar[int]
    PINNED_FIELD_NUMBER: _ClassVar[int]
    REACTION_FIELD_NUMBER: _ClassVar[int]
    EDIT_TIME_FIELD_NUMBER: _ClassVar[int]
    SIBLING_COUNT_FIELD_NUMBER: _ClassVar[int]
    SIBLING_NUMBER_FIELD_NUMBER: _ClassVar[int]
    NEXT_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    name: str
    role: Role
    text: str
    state: MessageState
    model: str
    usage: TokenUsage
    failure_reason: FailureReason
    create_time: _timestamp_pb2.Timestamp
    parent: str
    character: str
    media: _containers.RepeatedScalarFieldContainer[str]
    pinned: bool
    reaction: Reaction
    edit_time: _timestamp_pb2.Timestamp
    sibling_count: int
    sibling_number: int
    next_message: str
    def __init__(self, name: _Optional[str] = ..., role: _Optional[_Union[Role, str]] = ..., text: _Optional[str] = ..., state: _Optional[_Union[MessageState, str]] = ..., model: _Optional[str] = ..., usage: _Optional[_Union[TokenUsage, _Mapping]] = ..., failure_reason: _Optional[_Union[FailureReason, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., parent: _Optional[str] = ..., character: _Optional[str] = ..., media: _Optional[_Iterable[str]] = ..., pinned: _Optional[bool] = ..., reaction: _Optional[_Union[Reaction, str]] = ..., edit_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sibling_count: _Optional[int] = ..., sibling_number: _Optional[int] = ..., next_message: _Optional[str] = ...) -> None: ...

class TokenUsage(_message.Message):
    __slots__ = ("input_tokens", "output_tokens", "estimated", "cached_input_tokens")
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_FIELD_NUMBER: _ClassVar[int]
    CACHED_INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    input_tokens: int
    output_tokens: int
    estimated: bool
    cached_input_tokens: int
    def __init__(self, input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ..., estimated: _Optional[bool] = ..., cached_input_tokens: _Optional[int] = ...) -> None: ...

class ChatEvent(_message.Message):
    __slots__ = ("message", "number", "started", "delta", "finished", "failed", "seam", "delayed")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    SEAM_FIELD_NUMBER: _ClassVar[int]
    DELAYED_FIELD_NUMBER: _ClassVar[int]
    message: str
    number: int
    started: Started
    delta: Delta
    finished: Finished
    failed: Failed
    seam: Seam
    delayed: Delayed
    def __init__(self, message: _Optional[str] = ..., number: _Optional[int] = ..., started: _Optional[_Union[Started, _Mapping]] = ..., delta: _Optional[_Union[Delta, _Mapping]] = ..., finished: _Optional[_Union[Finished, _Mapping]] = ..., failed: _Optional[_Union[Failed, _Mapping]] = ..., seam: _Optional[_Union[Seam, _Mapping]] = ..., delayed: _Optional[_Union[Delayed, _Mapping]] = ...) -> None: ...

class Delayed(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Started(_message.Message):
    __slots__ = ("user_message", "model", "decision")
    USER_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    user_message: Message
    model: str
    decision: Decision
    def __init__(self, user_message: _Optional[_Union[Message, _Mapping]] = ..., model: _Optional[str] = ..., decision: _Optional[_Union[Decision, _Mapping]] = ...) -> None: ...

class Seam(_message.Message):
    __slots__ = ("from_model", "to_model", "fault", "mode", "kept_characters")
    FROM_MODEL_FIELD_NUMBER: _ClassVar[int]
    TO_MODEL_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    KEPT_CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    from_model: str
    to_model: str
    fault: Fault
    mode: SeamMode
    kept_characters: int
    def __init__(self, from_model: _Optional[str] = ..., to_model: _Optional[str] = ..., fault: _Optional[_Union[Fault, str]] = ..., mode: _Optional[_Union[SeamMode, str]] = ..., kept_characters: _Optional[int] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("candidates",)
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    candidates: _containers.RepeatedCompositeFieldContainer[Candidate]
    def __init__(self, candidates: _Optional[_Iterable[_Union[Candidate, _Mapping]]] = ...) -> None: ...

class Candidate(_message.Message):
    __slots__ = ("model", "score", "cost_usd", "first_word_seconds", "skipped", "sticky")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    COST_USD_FIELD_NUMBER: _ClassVar[int]
    FIRST_WORD_SECONDS_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    STICKY_FIELD_NUMBER: _ClassVar[int]
    model: str
    score: float
    cost_usd: float
    first_word_seconds: float
    skipped: SkipReason
    sticky: bool
    def __init__(self, model: _Optional[str] = ..., score: _Optional[float] = ..., cost_usd: _Optional[float] = ..., first_word_seconds: _Optional[float] = ..., skipped: _Optional[_Union[SkipReason, str]] = ..., sticky: _Optional[bool] = ...) -> None: ...

class Delta(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class Finished(_message.Message):
    __slots__ = ("reason", "message", "receipt")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    reason: FinishReason
    message: Message
    receipt: Receipt
    def __init__(self, reason: _Optional[_Union[FinishReason, str]] = ..., message: _Optional[_Union[Message, _Mapping]] = ..., receipt: _Optional[_Union[Receipt, _Mapping]] = ...) -> None: ...

class Failed(_message.Message):
    __slots__ = ("reason", "description", "message", "receipt")
    REASON_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    reason: FailureReason
    description: str
    message: Message
    receipt: Receipt
    def __init__(self, reason: _Optional[_Union[FailureReason, str]] = ..., description: _Optional[str] = ..., message: _Optional[_Union[Message, _Mapping]] = ..., receipt: _Optional[_Union[Receipt, _Mapping]] = ...) -> None: ...

class Attempt(_message.Message):
    __slots__ = ("model", "fault", "usage", "first_word_seconds")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    FIRST_WORD_SECONDS_FIELD_NUMBER: _ClassVar[int]
    model: str
    fault: Fault
    usage: TokenUsage
    first_word_seconds: float
    def __init__(self, model: _Optional[str] = ..., fault: _Optional[_Union[Fault, str]] = ..., usage: _Optional[_Union[TokenUsage, _Mapping]] = ..., first_word_seconds: _Optional[float] = ...) -> None: ...

class Receipt(_message.Message):
    __slots__ = ("meter", "charged", "usage", "attempts", "cost_usd", "images", "images_meter", "remaining")
    METER_FIELD_NUMBER: _ClassVar[int]
    CHARGED_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    COST_USD_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    IMAGES_METER_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    meter: str
    charged: int
    usage: TokenUsage
    attempts: _containers.RepeatedCompositeFieldContainer[Attempt]
    cost_usd: float
    images: int
    images_meter: str
    remaining: int
    def __init__(self, meter: _Optional[str] = ..., charged: _Optional[int] = ..., usage: _Optional[_Union[TokenUsage, _Mapping]] = ..., attempts: _Optional[_Iterable[_Union[Attempt, _Mapping]]] = ..., cost_usd: _Optional[float] = ..., images: _Optional[int] = ..., images_meter: _Optional[str] = ..., remaining: _Optional[int] = ...) -> None: ...

class ModelInfo(_message.Message):
    __slots__ = ("id", "context_tokens", "output_tokens_max", "input_usd", "cached_input_usd", "output_usd", "capabilities", "entitled", "health")
    ID_FIELD_NUMBER: _ClassVar[int]
    CLASS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_MAX_FIELD_NUMBER: _ClassVar[int]
    INPUT_USD_FIELD_NUMBER: _ClassVar[int]
    CACHED_INPUT_USD_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_USD_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    ENTITLED_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    id: str
    context_tokens: int
    output_tokens_max: int
    input_usd: float
    cached_input_usd: float
    output_usd: float
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    entitled: bool
    health: ModelHealth
    def __init__(self, id: _Optional[str] = ..., context_tokens: _Optional[int] = ..., output_tokens_max: _Optional[int] = ..., input_usd: _Optional[float] = ..., cached_input_usd: _Optional[float] = ..., output_usd: _Optional[float] = ..., capabilities: _Optional[_Iterable[str]] = ..., entitled: _Optional[bool] = ..., health: _Optional[_Union[ModelHealth, _Mapping]] = ..., **kwargs) -> None: ...

class ModelHealth(_message.Message):
    __slots__ = ("breaker", "rests_seconds", "first_word_seconds", "tokens_per_second", "answers", "failures")
    BREAKER_FIELD_NUMBER: _ClassVar[int]
    RESTS_SECONDS_FIELD_NUMBER: _ClassVar[int]
    FIRST_WORD_SECONDS_FIELD_NUMBER: _ClassVar[int]
    TOKENS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    breaker: BreakerState
    rests_seconds: float
    first_word_seconds: float
    tokens_per_second: float
    answers: int
    failures: int
    def __init__(self, breaker: _Optional[_Union[BreakerState, str]] = ..., rests_seconds: _Optional[float] = ..., first_word_seconds: _Optional[float] = ..., tokens_per_second: _Optional[float] = ..., answers: _Optional[int] = ..., failures: _Optional[int] = ...) -> None: ...

class TurnEstimate(_message.Message):
    __slots__ = ("meter", "likely", "maximum", "model", "prompt_tokens", "context_used_percent", "affordable", "images", "images_meter")
    METER_FIELD_NUMBER: _ClassVar[int]
    LIKELY_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_USED_PERCENT_FIELD_NUMBER: _ClassVar[int]
    AFFORDABLE_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    IMAGES_METER_FIELD_NUMBER: _ClassVar[int]
    meter: str
    likely: int
    maximum: int
    model: str
    prompt_tokens: int
    context_used_percent: int
    affordable: bool
    images: int
    images_meter: str
    def __init__(self, meter: _Optional[str] = ..., likely: _Optional[int] = ..., maximum: _Optional[int] = ..., model: _Optional[str] = ..., prompt_tokens: _Optional[int] = ..., context_used_percent: _Optional[int] = ..., affordable: _Optional[bool] = ..., images: _Optional[int] = ..., images_meter: _Optional[str] = ...) -> None: ...

class StopMessageRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class EstimateTurnRequest(_message.Message):
    __slots__ = ("parent", "text", "choice", "images")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    parent: str
    text: str
    choice: ModelChoice
    images: int
    def __init__(self, parent: _Optional[str] = ..., text: _Optional[str] = ..., choice: _Optional[_Union[ModelChoice, _Mapping]] = ..., images: _Optional[int] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models",)
    MODELS_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[ModelInfo]
    def __init__(self, models: _Optional[_Iterable[_Union[ModelInfo, _Mapping]]] = ...) -> None: ...

class ModelChoice(_message.Message):
    __slots__ = ("model", "preference")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PREFERENCE_FIELD_NUMBER: _ClassVar[int]
    model: str
    preference: Preference
    def __init__(self, model: _Optional[str] = ..., preference: _Optional[_Union[Preference, str]] = ...) -> None: ...

class CreateConversationRequest(_message.Message):
    __slots__ = ("conversation", "request_id")
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    conversation: Conversation
    request_id: str
    def __init__(self, conversation: _Optional[_Union[Conversation, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class GetConversationRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListConversationsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "archived", "character", "query")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    CHARACTER_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    archived: bool
    character: str
    query: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., archived: _Optional[bool] = ..., character: _Optional[str] = ..., query: _Optional[str] = ...) -> None: ...

class ListConversationsResponse(_message.Message):
    __slots__ = ("conversations", "next_page_token")
    CONVERSATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    conversations: _containers.RepeatedCompositeFieldContainer[Conversation]
    next_page_token: str
    def __init__(self, conversations: _Optional[_Iterable[_Union[Conversation, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListMessagesRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token", "all_branches", "pinned")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ALL_BRANCHES_FIELD_NUMBER: _ClassVar[int]
    PINNED_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    all_branches: bool
    pinned: bool
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., all_branches: _Optional[bool] = ..., pinned: _Optional[bool] = ...) -> None: ...

class ListMessagesResponse(_message.Message):
    __slots__ = ("messages", "next_page_token")
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[Message]
    next_page_token: str
    def __init__(self, messages: _Optional[_Iterable[_Union[Message, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class SendMessageRequest(_message.Message):
    __slots__ = ("parent", "text", "request_id", "choice", "explain", "media", "after", "speakers")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    MEDIA_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    parent: str
    text: str
    request_id: str
    choice: ModelChoice
    explain: bool
    media: _containers.RepeatedScalarFieldContainer[str]
    after: str
    speakers: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, parent: _Optional[str] = ..., text: _Optional[str] = ..., request_id: _Optional[str] = ..., choice: _Optional[_Union[ModelChoice, _Mapping]] = ..., explain: _Optional[bool] = ..., media: _Optional[_Iterable[str]] = ..., after: _Optional[str] = ..., speakers: _Optional[_Iterable[str]] = ...) -> None: ...

class UpdateConversationRequest(_message.Message):
    __slots__ = ("conversation", "update_mask")
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    conversation: Conversation
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, conversation: _Optional[_Union[Conversation, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class DeleteConversationRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ForkConversationRequest(_message.Message):
    __slots__ = ("name", "all_branches", "display_name", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ALL_BRANCHES_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    all_branches: bool
    display_name: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., all_branches: _Optional[bool] = ..., display_name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class GetMessageRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class SearchMessagesRequest(_message.Message):
    __slots__ = ("query", "parent", "page_size", "page_token")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    query: str
    parent: str
    page_size: int
    page_token: str
    def __init__(self, query: _Optional[str] = ..., parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class SearchMessagesResponse(_message.Message):
    __slots__ = ("matches", "next_page_token")
    MATCHES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    matches: _containers.RepeatedCompositeFieldContainer[MessageMatch]
    next_page_token: str
    def __init__(self, matches: _Optional[_Iterable[_Union[MessageMatch, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class MessageMatch(_message.Message):
    __slots__ = ("message", "conversation_display_name", "snippet", "highlights")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    SNIPPET_FIELD_NUMBER: _ClassVar[int]
    HIGHLIGHTS_FIELD_NUMBER: _ClassVar[int]
    message: Message
    conversation_display_name: str
    snippet: str
    highlights: _containers.RepeatedCompositeFieldContainer[Span]
    def __init__(self, message: _Optional[_Union[Message, _Mapping]] = ..., conversation_display_name: _Optional[str] = ..., snippet: _Optional[str] = ..., highlights: _Optional[_Iterable[_Union[Span, _Mapping]]] = ...) -> None: ...

class Span(_message.Message):
    __slots__ = ("start", "end")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    start: int
    end: int
    def __init__(self, start: _Optional[int] = ..., end: _Optional[int] = ...) -> None: ...

class UpdateMessageRequest(_message.Message):
    __slots__ = ("message", "update_mask")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    message: Message
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, message: _Optional[_Union[Message, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class DeleteMessageRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ChooseBranchRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class RegenerateMessageRequest(_message.Message):
    __slots__ = ("name", "request_id", "choice", "explain")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    choice: ModelChoice
    explain: bool
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ..., choice: _Optional[_Union[ModelChoice, _Mapping]] = ..., explain: _Optional[bool] = ...) -> None: ...

class RewriteMessageRequest(_message.Message):
    __slots__ = ("name", "text", "request_id", "choice", "explain")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    name: str
    text: str
    request_id: str
    choice: ModelChoice
    explain: bool
    def __init__(self, name: _Optional[str] = ..., text: _Optional[str] = ..., request_id: _Optional[str] = ..., choice: _Optional[_Union[ModelChoice, _Mapping]] = ..., explain: _Optional[bool] = ...) -> None: ...

class ListFollowUpsRequest(_message.Message):
    __slots__ = ("parent",)
    PARENT_FIELD_NUMBER: _ClassVar[int]
    parent: str
    def __init__(self, parent: _Optional[str] = ...) -> None: ...

class ListFollowUpsResponse(_message.Message):
    __slots__ = ("follow_ups",)
    FOLLOW_UPS_FIELD_NUMBER: _ClassVar[int]
    follow_ups: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, follow_ups: _Optional[_Iterable[str]] = ...) -> None: ...

class ConverseRequest(_message.Message):
    __slots__ = ("place", "open", "send", "stop", "watch", "interrupt")
    PLACE_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    SEND_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    WATCH_FIELD_NUMBER: _ClassVar[int]
    INTERRUPT_FIELD_NUMBER: _ClassVar[int]
    place: int
    open: str
    send: SendMessageRequest
    stop: StopMessageRequest
    watch: WatchMessageRequest
    interrupt: bool
    def __init__(self, place: _Optional[int] = ..., open: _Optional[str] = ..., send: _Optional[_Union[SendMessageRequest, _Mapping]] = ..., stop: _Optional[_Union[StopMessageRequest, _Mapping]] = ..., watch: _Optional[_Union[WatchMessageRequest, _Mapping]] = ..., interrupt: _Optional[bool] = ...) -> None: ...

class ConverseResponse(_message.Message):
    __slots__ = ("place", "opened", "event", "stopped", "error", "heartbeat")
    PLACE_FIELD_NUMBER: _ClassVar[int]
    OPENED_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    STOPPED_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    place: int
    opened: Conversation
    event: ChatEvent
    stopped: Message
    error: ConverseError
    heartbeat: Heartbeat
    def __init__(self, place: _Optional[int] = ..., opened: _Optional[_Union[Conversation, _Mapping]] = ..., event: _Optional[_Union[ChatEvent, _Mapping]] = ..., stopped: _Optional[_Union[Message, _Mapping]] = ..., error: _Optional[_Union[ConverseError, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ConverseError(_message.Message):
    __slots__ = ("code", "message", "reason", "metadata")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    reason: str
    metadata: _containers.ScalarMap[str, str]
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., reason: _Optional[str] = ..., metadata: _Optional[_Mapping[str, str]] = ...) -> None: ...

class WatchMessageRequest(_message.Message):
    __slots__ = ("name", "after")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    name: str
    after: int
    def __init__(self, name: _Optional[str] = ..., after: _Optional[int] = ...) -> None: ...
