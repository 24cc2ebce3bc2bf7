import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from scenemesh.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Source(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SOURCE_UNSPECIFIED: _ClassVar[Source]
    SOURCE_TMDB: _ClassVar[Source]
    SOURCE_JIKAN: _ClassVar[Source]
    SOURCE_FILE: _ClassVar[Source]

class Mode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODE_UNSPECIFIED: _ClassVar[Mode]
    MODE_FULL: _ClassVar[Mode]
    MODE_CHANGES: _ClassVar[Mode]
SOURCE_UNSPECIFIED: Source
SOURCE_TMDB: Source
SOURCE_JIKAN: Source
SOURCE_FILE: Source
MODE_UNSPECIFIED: Mode
MODE_FULL: Mode
MODE_CHANGES: Mode

class Sync(_message.Message):
    __slots__ = ("name", "source", "collection", "mode", "state", "step", "done", "total", "titles_kept", "characters_kept", "titles_removed", "faults_total", "faults", "error", "index_version", "create_time", "end_time")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Sync.State]
        STATE_QUEUED: _ClassVar[Sync.State]
        STATE_RUNNING: _ClassVar[Sync.State]
        STATE_SUCCEEDED: _ClassVar[Sync.State]
        STATE_FAILED: _ClassVar[Sync.State]
        STATE_CANCELLED: _ClassVar[Sync.State]
    STATE_UNSPECIFIED: Sync.State
    STATE_QUEUED: Sync.State
    STATE_RUNNING: Sync.State
    STATE_SUCCEEDED: Sync.State
    STATE_FAILED: Sync.State
    STATE_CANCELLED: Sync.State
    class Fault(_message.Message):
        __slots__ = ("place", "description")
        PLACE_FIELD_NUMBER: _ClassVar[int]
        DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
        place: str
        description: str
        def __init__(self, place: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    TITLES_KEPT_FIELD_NUMBER: _ClassVar[int]
    CHARACTERS_KEPT_FIELD_NUMBER: _ClassVar[int]
    TITLES_REMOVED_FIELD_NUMBER: _ClassVar[int]
    FAULTS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    INDEX_VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    source: Source
    collection: str
    mode: Mode
    state: Sync.State
    step: str
    done: int
    total: int
    titles_kept: int
    characters_kept: int
    titles_removed: int
    faults_total: int
    faults: _containers.RepeatedCompositeFieldContainer[Sync.Fault]
    error: str
    index_version: str
    create_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., source: _Optional[_Union[Source, str]] = ..., collection: _Optional[str] = ..., mode: _Optional[_Union[Mode, str]] = ..., state: _Optional[_Union[Sync.State, str]] = ..., step: _Optional[str] = ..., done: _Optional[int] = ..., total: _Optional[int] = ..., titles_kept: _Optional[int] = ..., characters_kept: _Optional[int] = ..., titles_removed: _Optional[int] = ..., faults_total: _Optional[int] = ..., faults: _Optional[_Iterable[_Union[Sync.Fault, _Mapping]]] = ..., error: _Optional[str] = ..., index_version: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SyncCatalogRequest(_message.Message):
    __slots__ = ("source", "mode", "titles_max", "request_id")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    TITLES_MAX_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    source: Source
    mode: Mode
    titles_max: int
    request_id: str
    def __init__(self, source: _Optional[_Union[Source, str]] = ..., mode: _Optional[_Union[Mode, str]] = ..., titles_max: _Optional[int] = ..., request_id: _Optional[str] = ...) -> None: ...

class ImportCatalogRequest(_message.Message):
    __slots__ = ("header", "chunk")
    class Format(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        FORMAT_UNSPECIFIED: _ClassVar[ImportCatalogRequest.Format]
        FORMAT_CSV: _ClassVar[ImportCatalogRequest.Format]
        FORMAT_JSONL: _ClassVar[ImportCatalogRequest.Format]
    FORMAT_UNSPECIFIED: ImportCatalogRequest.Format
    FORMAT_CSV: ImportCatalogRequest.Format
    FORMAT_JSONL: ImportCatalogRequest.Format
    class Header(_message.Message):
        __slots__ = ("collection", "format", "gzip", "request_id")
        COLLECTION_FIELD_NUMBER: _ClassVar[int]
        FORMAT_FIELD_NUMBER: _ClassVar[int]
        GZIP_FIELD_NUMBER: _ClassVar[int]
        REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
        collection: str
        format: ImportCatalogRequest.Format
        gzip: bool
        request_id: str
        def __init__(self, collection: _Optional[str] = ..., format: _Optional[_Union[ImportCatalogRequest.Format, str]] = ..., gzip: _Optional[bool] = ..., request_id: _Optional[str] = ...) -> None: ...
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    header: ImportCatalogRequest.Header
    chunk: bytes
    def __init__(self, header: _Optional[_Union[ImportCatalogRequest.Header, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class GetSyncRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListSyncsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListSyncsResponse(_message.Message):
    __slots__ = ("syncs", "next_page_token")
    SYNCS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    syncs: _containers.RepeatedCompositeFieldContainer[Sync]
    next_page_token: str
    def __init__(self, syncs: _Optional[_Iterable[_Union[Sync, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CancelSyncRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ResumeSyncRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class IndexVersion(_message.Message):
    __slots__ = ("name", "state", "active", "checksum", "size_bytes", "titles", "characters", "actors", "comparison", "error", "create_time", "build_duration", "activate_time", "activated_by")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[IndexVersion.State]
        STATE_BUILDING: _ClassVar[IndexVersion.State]
        STATE_READY: _ClassVar[IndexVersion.State]
        STATE_REFUSED: _ClassVar[IndexVersion.State]
        STATE_FAILED: _ClassVar[IndexVersion.State]
        STATE_REMOVED: _ClassVar[IndexVersion.State]
    STATE_UNSPECIFIED: IndexVersion.State
    STATE_BUILDING: IndexVersion.State
    STATE_READY: IndexVersion.State
    STATE_REFUSED: IndexVersion.State
    STATE_FAILED: IndexVersion.State
    STATE_REMOVED: IndexVersion.State
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    TITLES_FIELD_NUMBER: _ClassVar[int]
    CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    ACTORS_FIELD_NUMBER: _ClassVar[int]
    COMPARISON_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    BUILD_DURATION_FIELD_NUMBER: _ClassVar[int]
    ACTIVATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ACTIVATED_BY_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: IndexVersion.State
    active: bool
    checksum: str
    size_bytes: int
    titles: int
    characters: int
    actors: int
    comparison: Comparison
    error: str
    create_time: _timestamp_pb2.Timestamp
    build_duration: _duration_pb2.Duration
    activate_time: _timestamp_pb2.Timestamp
    activated_by: str
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[IndexVersion.State, str]] = ..., active: _Optional[bool] = ..., checksum: _Optional[str] = ..., size_bytes: _Optional[int] = ..., titles: _Optional[int] = ..., characters: _Optional[int] = ..., actors: _Optional[int] = ..., comparison: _Optional[_Union[Comparison, _Mapping]] = ..., error: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., build_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., activate_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., activated_by: _Optional[str] = ...) -> None: ...

class Comparison(_message.Message):
    __slots__ = ("baseline", "queries", "agreement", "emptied", "lost_entries", "baseline_p99", "p99", "differences")
    class Difference(_message.Message):
        __slots__ = ("query", "baseline", "candidate")
        QUERY_FIELD_NUMBER: _ClassVar[int]
        BASELINE_FIELD_NUMBER: _ClassVar[int]
        CANDIDATE_FIELD_NUMBER: _ClassVar[int]
        query: str
        baseline: _containers.RepeatedScalarFieldContainer[str]
        candidate: _containers.RepeatedScalarFieldContainer[str]
        def __init__(self, query: _Optional[str] = ..., baseline: _Optional[_Iterable[str]] = ..., candidate: _Optional[_Iterable[str]] = ...) -> None: ...
    BASELINE_FIELD_NUMBER: _ClassVar[int]
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    EMPTIED_FIELD_NUMBER: _ClassVar[int]
    LOST_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    BASELINE_P99_FIELD_NUMBER: _ClassVar[int]
    P99_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    baseline: str
    queries: int
    agreement: float
    emptied: float
    lost_entries: float
    baseline_p99: _duration_pb2.Duration
    p99: _duration_pb2.Duration
    differences: _containers.RepeatedCompositeFieldContainer[Comparison.Difference]
    def __init__(self, baseline: _Optional[str] = ..., queries: _Optional[int] = ..., agreement: _Optional[float] = ..., emptied: _Optional[float] = ..., lost_entries: _Optional[float] = ..., baseline_p99: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., p99: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., differences: _Optional[_Iterable[_Union[Comparison.Difference, _Mapping]]] = ...) -> None: ...

class CreateIndexVersionRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListIndexVersionsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListIndexVersionsResponse(_message.Message):
    __slots__ = ("index_versions", "next_page_token")
    INDEX_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    index_versions: _containers.RepeatedCompositeFieldContainer[IndexVersion]
    next_page_token: str
    def __init__(self, index_versions: _Optional[_Iterable[_Union[IndexVersion, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ActivateIndexVersionRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetServingStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ServingStatus(_message.Message):
    __slots__ = ("index_version", "load_time", "degraded", "queries", "cache_hits", "cache_entries", "p50", "p99")
    INDEX_VERSION_FIELD_NUMBER: _ClassVar[int]
    LOAD_TIME_FIELD_NUMBER: _ClassVar[int]
    DEGRADED_FIELD_NUMBER: _ClassVar[int]
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    CACHE_HITS_FIELD_NUMBER: _ClassVar[int]
    CACHE_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    P50_FIELD_NUMBER: _ClassVar[int]
    P99_FIELD_NUMBER: _ClassVar[int]
    index_version: str
    load_time: _timestamp_pb2.Timestamp
    degraded: str
    queries: int
    cache_hits: int
    cache_entries: int
    p50: _duration_pb2.Duration
    p99: _duration_pb2.Duration
    def __init__(self, index_version: _Optional[str] = ..., load_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., degraded: _Optional[str] = ..., queries: _Optional[int] = ..., cache_hits: _Optional[int] = ..., cache_entries: _Optional[int] = ..., p50: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., p99: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...
