"""The contract as values: every RPC with its policy, its REST bindings and its place in the mesh."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor, descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from scenemesh.policy.v1 import policy_pb2

PACKAGE_ROOT = "scenemesh"

# Typed as what they are: the libraries' stubs call every extension a plain field descriptor.
POLICY: Any = policy_pb2.rpc
HTTP: Any = annotations_pb2.http

VERBS = ("get", "put", "post", "delete", "patch")


class Audience(Enum):
    """Who may call an RPC; the meanings stand in `policy.proto`."""

    PUBLIC = policy_pb2.AUDIENCE_PUBLIC
    USER = policy_pb2.AUDIENCE_USER
    OPERATOR = policy_pb2.AUDIENCE_OPERATOR
    INTERNAL = policy_pb2.AUDIENCE_INTERNAL
    WEBHOOK = policy_pb2.AUDIENCE_WEBHOOK


@dataclass(frozen=True)
class RateLimit:
    requests: int
    per: timedelta


@dataclass(frozen=True)
class Policy:
    """`scenemesh.policy.v1.RpcPolicy` as a value."""

    audience: Audience
    callers: frozenset[str]
    deadline: timedelta
    idle_timeout: timedelta | None
    meter: str
    rate_limit: RateLimit | None


@dataclass(frozen=True)
class Binding:
    """One REST binding: `GET /v1/{name=conversations/*}`; `body` is "", "*" or a field's name."""

    verb: str
    path: str
    body: str


@dataclass(frozen=True)
class Method:
    """One RPC."""

    service: str
    name: str
    cluster: str
    request_streaming: bool
    response_streaming: bool
    idempotent: bool
    policy: Policy
    bindings: tuple[Binding, ...]
    descriptor: descriptor.MethodDescriptor

    @property
    def path(self) -> str:
        """The HTTP/2 path of the gRPC call, `/package.Service/Method`."""
        return f"/{self.service}/{self.name}"

    @property
    def external(self) -> bool:
        """Whether the edge routes it."""
        return self.policy.audience is not Audience.INTERNAL


class ContractError(Exception):
    """The contract contradicts itself; the message names every fault, a line each."""


class Contract:
    """Every RPC of our own services, by its gRPC path."""

    def __init__(self, services: Iterable[descriptor.ServiceDescriptor]) -> None:
        self.services = tuple(sorted(services, key=lambda service: service.full_name))
        faults: list[str] = []
        for service in self.services:
            for rpc in service.methods:
                faults += _faults(rpc)
        if faults:
            raise ContractError("\n".join(faults))
        described = (_method(rpc) for service in self.services for rpc in service.methods)
        self.methods: dict[str, Method] = {method.path: method for method in described}

    def __iter__(self) -> Iterator[Method]:
        return iter(self.methods.values())

    @classmethod
    def load(cls, descriptor_set: Path) -> "Contract":
        """The contract of a file that `buf build` wrote, in a descriptor pool of its own."""
        files = descriptor_pb2.FileDescriptorSet.FromString(descriptor_set.read_bytes())
        pool = descriptor_pool.DescriptorPool()
        for file in files.file:
            pool.Add(file)
        names = [
            f"{file.package}.{service.name}"
            for file in files.file
            if file.package.split(".")[0] == PACKAGE_ROOT
            for service in file.service
        ]
        return cls(pool.FindServiceByName(name) for name in names)

    @classmethod
    def of(cls, services: Iterable[str]) -> "Contract":
        """The contract of services whose generated modules are imported."""
        pool = descriptor_pool.Default()
        return cls(pool.FindServiceByName(name) for name in services)


def descriptor_set_path() -> Path:
    """Where `make gen` writes the descriptor set in a source tree."""
    return Path(__file__).resolve().parent.parent / "gen" / "scenemesh.binpb"


def cluster_of(package: str) -> str:
    """The mesh's name for the service of a package: `scenemesh.chat.v1` is `chat`."""
    return package.split(".")[1]


def _options(method: descriptor.MethodDescriptor) -> descriptor_pb2.MethodOptions:
    # Options of a pool of its own carry our extensions as unknown bytes; parsing them again makes them known.
    return descriptor_pb2.MethodOptions.FromString(method.GetOptions().SerializeToString())


def _faults(method: descriptor.MethodDescriptor) -> list[str]:
    options = _options(method)
    if not options.HasExtension(POLICY):
        return [f"{method.full_name} has no (scenemesh.policy.v1.rpc) option"]
    policy: policy_pb2.RpcPolicy = options.Extensions[POLICY]
    internal = policy.audience == policy_pb2.AUDIENCE_INTERNAL
    checks = {
        "has no audience": policy.audience == policy_pb2.AUDIENCE_UNSPECIFIED,
        "has no deadline": not policy.HasField("deadline"),
        "is internal and names no callers": internal and not policy.callers,
        "is internal and has a REST binding": internal and options.HasExtension(HTTP),
        "has no REST binding": not (internal or method.client_streaming or options.HasExtension(HTTP)),
        "streams requests and has a REST binding": method.client_streaming and options.HasExtension(HTTP),
        "is unary and has an idle timeout": policy.HasField("idle_timeout") and not method.server_streaming,
        "streams and has no idle timeout": method.server_streaming and not policy.HasField("idle_timeout"),
    }
    return [f"{method.full_name} {fault}" for fault, found in checks.items() if found]


def _method(method: descriptor.MethodDescriptor) -> Method:
    options = _options(method)
    service = method.containing_service
    return Method(
        service=service.full_name,
        name=method.name,
        cluster=cluster_of(service.file.package),
        request_streaming=method.client_streaming,
        response_streaming=method.server_streaming,
        idempotent=options.idempotency_level != descriptor_pb2.MethodOptions.IDEMPOTENCY_UNKNOWN,
        policy=_policy(options.Extensions[POLICY]),
        bindings=tuple(_bindings(options.Extensions[HTTP])),
        descriptor=method,
    )


def _policy(policy: policy_pb2.RpcPolicy) -> Policy:
    limit = policy.rate_limit
    return Policy(
        audience=Audience(policy.audience),
        callers=frozenset(policy.callers),
        deadline=_timedelta(policy.deadline),
        idle_timeout=_timedelta(policy.idle_timeout) if policy.HasField("idle_timeout") else None,
        meter=policy.meter,
        rate_limit=RateLimit(limit.requests, _timedelta(limit.per)) if policy.HasField("rate_limit") else None,
    )


def _bindings(rule: http_pb2.HttpRule) -> Iterator[Binding]:
    for one in (rule, *rule.additional_bindings):
        verb = one.WhichOneof("pattern")
        if verb in VERBS:
            yield Binding(verb.upper(), getattr(one, verb), one.body)


def _timedelta(duration: Duration) -> timedelta:
    return timedelta(seconds=duration.seconds, microseconds=duration.nanos // 1000)


def message_class(message: descriptor.Descriptor) -> type[Message]:
    """The Python class of a message of any pool."""
    return message_factory.GetMessageClass(message)
