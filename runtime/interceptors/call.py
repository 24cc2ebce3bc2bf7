"""The one adapter between gRPC's four arities and interceptors that know none of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message

from runtime.contract import Contract, Method
from runtime.errors import InvalidArgument

# Health and reflection come with gRPC and keep their own rules: a certificate of the mesh is all they ask.
UNCONTRACTED_PREFIXES = ("/grpc.health.", "/grpc.reflection.")


class CallerGone(asyncio.CancelledError):
    """There is nobody to send an answer or a status to: the call ends as one that is cancelled."""


@dataclass
class Call:
    """One RPC in progress. `method` is None for an RPC outside our contract, such as Envoy's own services."""

    path: str
    method: Method | None
    metadata: Mapping[str, str]
    context: grpc.aio.ServicerContext[Any, Any]
    trust_domain: str
    checks: list[Callable[[Message], None]] = field(default_factory=list)
    code: int = 0

    def check(self, request: Message) -> None:
        """Runs every check that interceptors added on one request message."""
        for check in self.checks:
            check(request)


# What happens around a call, or before it: then there is nothing to leave.
Interceptor = Callable[[Call], AbstractAsyncContextManager[None] | None]


class Interceptors(grpc.aio.ServerInterceptor):
    """Runs a list of interceptors around every RPC of a server."""

    def __init__(self, contract: Contract, interceptors: Sequence[Interceptor], trust_domain: str) -> None:
        self._contract = contract
        self._interceptors = tuple(interceptors)
        self._trust_domain = trust_domain
        self._handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        path = handler_call_details.method
        if (known := self._handlers.get(path)) is not None:
            return known
        handler = await continuation(handler_call_details)
        if handler is None or path.startswith(UNCONTRACTED_PREFIXES):
            return handler
        method = self._contract.methods.get(path)

        def call(context: grpc.aio.ServicerContext[Any, Any]) -> Call:
            sent = context.invocation_metadata() or ()
            metadata = {key: value for key, value in sent if isinstance(value, str)}
            return Call(path, method, metadata, context, self._trust_domain)

        # The same for every call. Paths without a handler, of which there is no end, are not kept.
        wrapped = self._handlers[path] = self._wrapped(handler, call)
        return wrapped

    def _wrapped(self, handler: Any, begin: Callable[[Any], Call]) -> grpc.RpcMethodHandler[Any, Any]:
        arity = f"{_side(handler.request_streaming)}_{_side(handler.response_streaming)}"
        behaviour = getattr(handler, arity)

        def read(call: Call, received: bytes) -> Any:
            request = _request(handler.request_deserializer, received)
            call.check(request)
            return request

        async def read_all(call: Call, received: AsyncIterator[bytes]) -> AsyncIterator[Any]:
            async for one in received:
                yield read(call, one)

        incoming: Any = read_all if handler.request_streaming else read

        async def admitted(context: Any) -> None:
            # An edge waits for the end of a request, unless the answer has begun; a stream's end may be far.
            if handler.request_streaming:
                await context.send_initial_metadata(())

        async def unary(request: Any, context: Any) -> Any:
            call = begin(context)
            async with self._around(call):
                await admitted(context)
                return _answer(await behaviour(incoming(call, request), context))

        # Writes its answers: a generator that gave them would be left where it stands when the caller goes away during
        # a write, and everything around the call with it.
        async def stream(request: Any, context: Any) -> None:
            call = begin(context)
            async with self._around(call), aclosing(behaviour(incoming(call, request), context)) as answers:
                await admitted(context)
                async for answer in answers:
                    try:
                        await context.write(_answer(answer))
                    except grpc.aio.InternalError as error:
                        raise CallerGone from error

        make = getattr(grpc, f"{arity}_rpc_method_handler")
        wrapped: grpc.RpcMethodHandler[Any, Any] = make(
            stream if handler.response_streaming else unary,
            request_deserializer=None,
            response_serializer=handler.response_serializer,
        )
        return wrapped

    def _around(self, call: Call) -> AbstractAsyncContextManager[Any]:
        return _Around(self._interceptors, call)


class _Around(AsyncExitStack):
    """All interceptors as one context manager: entered in order, left in reverse."""

    def __init__(self, interceptors: Sequence[Interceptor], call: Call) -> None:
        super().__init__()
        self._interceptors = interceptors
        self._call = call

    async def __aenter__(self) -> _Around:
        await super().__aenter__()
        try:
            for interceptor in self._interceptors:
                if (around := interceptor(self._call)) is not None:
                    await self.enter_async_context(around)
        except BaseException as error:
            # An interceptor that refuses must meet those around it, as a refusal from the handler does.
            if not await self.__aexit__(type(error), error, error.__traceback__):
                raise
        return self


def _side(streaming: bool) -> str:
    return "stream" if streaming else "unary"


def _request(deserialize: Callable[[bytes], Message], received: bytes) -> Message:
    # grpc would answer UNKNOWN to bytes that are no message, before any interceptor.
    try:
        return deserialize(received)
    except DecodeError as error:
        raise InvalidArgument("The request is not a message of its type.", reason="MALFORMED_REQUEST") from error


def _answer(answer: Any) -> Any:
    # grpc serialises outside every interceptor and tells the caller about a wrong type in its own words.
    if not isinstance(answer, Message):
        raise TypeError(f"a handler answered {type(answer).__name__} instead of a message")
    return answer
