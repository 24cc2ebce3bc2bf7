"""An edge that has nothing but billing and a quota, as a test scripts them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money

from runtime.errors import MeshError
from scenemesh.billing.v1 import billing_pb2, webhook_pb2
from scenemesh.quota.v1 import quota_pb2
from tests.service.cli.fake_edge import QUOTA, Script, Step, refuse

NOON = Timestamp(seconds=int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()))
LATER = Timestamp(seconds=int(datetime(2026, 12, 22, 12, tzinfo=UTC).timestamp()))
STRIPE = billing_pb2.PROVIDER_STRIPE


def dollars(cents: int) -> Money:
    return Money(currency_code="USD", units=cents // 100, nanos=cents % 100 * 10_000_000)


PLANS = billing_pb2.ListPlansResponse(
    plans=[
        billing_pb2.Plan(
            name="plans/free",
            display_name="Free",
            allowances=[billing_pb2.Allowance(meter="chat", amount=5, period=billing_pb2.PERIOD_DAY)],
            standing=billing_pb2.STANDING_CURRENT,
        ),
        billing_pb2.Plan(
            name="plans/pro",
            display_name="Pro",
            prices=[
                billing_pb2.Price(interval=billing_pb2.INTERVAL_WEEK, amount=dollars(399), providers=[STRIPE]),
                billing_pb2.Price(
                    interval=billing_pb2.INTERVAL_MONTH, amount=dollars(999), credits=20, providers=[STRIPE]
                ),
            ],
            allowances=[
                billing_pb2.Allowance(meter="chat", amount=50, period=billing_pb2.PERIOD_DAY, gain=45),
                billing_pb2.Allowance(meter="video", unlimited=True),
            ],
            trial_days=7,
            standing=billing_pb2.STANDING_UPGRADE,
        ),
    ],
    packs=[
        billing_pb2.Pack(
            name="packs/small",
            display_name="100 credits",
            credits=100,
            amount=dollars(499),
            providers=[STRIPE, billing_pb2.PROVIDER_REVENUECAT],
        )
    ],
)
FREE = billing_pb2.Subscription(
    name="users/alice/subscription", plan="plans/free", state=billing_pb2.SUBSCRIPTION_STATE_ACTIVE
)
PRO = billing_pb2.Subscription(
    name="users/alice/subscription",
    plan="plans/pro",
    state=billing_pb2.SUBSCRIPTION_STATE_ACTIVE,
    period_end_time=LATER,
    provider=STRIPE,
    interval=billing_pb2.INTERVAL_MONTH,
    agreements=[
        billing_pb2.Agreement(
            provider=STRIPE,
            id="sub_1",
            plan="plans/pro",
            interval=billing_pb2.INTERVAL_MONTH,
            state=billing_pb2.SUBSCRIPTION_STATE_ACTIVE,
            period_end_time=LATER,
            in_force=True,
        )
    ],
)
INVOICE = billing_pb2.Invoice(
    name="users/alice/invoices/stripe-pi_1",
    provider=STRIPE,
    state=billing_pb2.INVOICE_STATE_PAID,
    amount=dollars(499),
    create_time=NOON,
    lines=[billing_pb2.InvoiceLine(article="packs/small", amount=dollars(499), credits=100)],
)
PAGE = billing_pb2.CheckoutSession(
    name="users/alice/checkoutSessions/cs_1",
    url="https://pay.example/cs_1",
    expire_time=Timestamp(seconds=2**32),
    test_mode=True,
)


@dataclass
class Billing(Script):
    """What the edge answers: to each request, by its type, one answer after the other, the last one for ever."""

    answers: dict[str, list[Message | MeshError | grpc.StatusCode]] = field(default_factory=dict)
    reconciliation: tuple[Step, ...] = ()

    def answer(self, request: type[Message], *answers: Message | MeshError | grpc.StatusCode) -> None:
        self.answers[request.DESCRIPTOR.name] = list(answers)

    async def unary(self, request: Any, context: Any) -> Message:
        await self.heard(request, context)
        answers = self.answers[request.DESCRIPTOR.name]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if not isinstance(answer, Message):
            await refuse(context, answer)
        assert isinstance(answer, Message)
        return answer

    async def stream(self, request: Any, context: Any) -> AsyncIterator[Message]:
        await self.heard(request, context)
        async for event in self.play(self.reconciliation, context):
            yield event


@asynccontextmanager
async def fake_billing() -> AsyncIterator[Billing]:
    billing = Billing()
    billing.answer(billing_pb2.ListPlansRequest, PLANS)
    billing.answer(quota_pb2.GetQuotaRequest, QUOTA)
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    for file in (billing_pb2, webhook_pb2, quota_pb2):
        (service,) = file.DESCRIPTOR.services_by_name.values()
        handlers = grpc.method_handlers_generic_handler(service.full_name, dict(_handlers(service, billing)))
        server.add_generic_rpc_handlers((handlers,))
    billing.url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield billing
    finally:
        await server.stop(0)


def _handlers(service: ServiceDescriptor, billing: Billing) -> Iterator[tuple[str, grpc.RpcMethodHandler[Any, Any]]]:
    for method in service.methods:
        yield method.name, _handler(method, billing)


def _handler(method: MethodDescriptor, billing: Billing) -> grpc.RpcMethodHandler[Any, Any]:
    read, write = GetMessageClass(method.input_type).FromString, GetMessageClass(method.output_type).SerializeToString
    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(billing.stream, read, write)
    return grpc.unary_unary_rpc_method_handler(billing.unary, read, write)
