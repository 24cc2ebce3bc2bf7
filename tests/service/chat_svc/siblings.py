"""quota_svc and search_svc as chat_svc sees them on the wire."""

from __future__ import annotations

from typing import Any

import grpc

from runtime.errors import FailedPrecondition, NotFound, Overloaded, QuotaExhausted, Unavailable
from scenemesh.quota.v1 import quota_pb2, quota_pb2_grpc
from scenemesh.search.v1 import search_pb2, search_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]

CONTEXT_TOKENS = 4_000
ONE_TURN = quota_pb2.Amount(meter="chat", amount=1)
SPENT = quota_pb2.Decision(
    meter="chat",
    outcome=quota_pb2.OUTCOME_REFUSED,
    reason=quota_pb2.REASON_LIMIT_REACHED,
    amount=1,
    plan="plans/free",
    message="All used.",
)


class FakeQuota(quota_pb2_grpc.QuotaServiceServicer):
    """Turns on one meter: `left` of them, and every hold ever taken, each as so many units of the `payer`.

    While `away` or `busy` it answers nobody.
    """

    def __init__(self) -> None:
        self.left = 5
        self.payer = ("chat", 1)
        self.away = False
        self.busy = False
        self.holds: dict[str, quota_pb2.Hold] = {}
        self.settled: list[quota_pb2.SettleRequest] = []

    def states(self) -> list[int]:
        """How far each hold is, in the order in which they were taken."""
        return [hold.state for hold in self.holds.values()]

    async def Reserve(self, request: quota_pb2.ReserveRequest, context: Context) -> quota_pb2.ReserveResponse:
        self._answer()
        name = f"{request.parent}/holds/{request.request_id}"
        if name not in self.holds:
            (wanted,) = request.amounts
            if self.left < wanted.amount:
                subject, metadata = f"{request.parent}/meters/chat", {"meter": wanted.meter, "plan": "plans/free"}
                raise QuotaExhausted(SPENT.message, subject=subject, metadata=metadata, details=[SPENT])
            self.left -= wanted.amount
            meter, price = self.payer
            line = quota_pb2.HoldLine(meter=meter, amount=wanted.amount * price)
            self.holds[name] = quota_pb2.Hold(name=name, lines=[line], state=quota_pb2.HOLD_STATE_HELD)
        entitlement = quota_pb2.Entitlement(plan="plans/free", context_tokens=CONTEXT_TOKENS)
        return quota_pb2.ReserveResponse(hold=self.holds[name], entitlement=entitlement)

    async def ExtendHold(self, request: quota_pb2.ExtendHoldRequest, context: Context) -> quota_pb2.ReserveResponse:
        self._answer()
        hold = self._hold(request.name)
        (wanted,) = request.amounts
        more = (wanted.amount - hold.lines[0].amount) // self.payer[1]
        if self.left < more:
            subject, metadata = f"{request.name}/meters/chat", {"meter": wanted.meter, "plan": "plans/free"}
            raise QuotaExhausted(SPENT.message, subject=subject, metadata=metadata, details=[SPENT])
        self.left -= more
        hold.lines[0].amount = wanted.amount
        return quota_pb2.ReserveResponse(hold=hold)

    async def GetQuota(self, request: quota_pb2.GetQuotaRequest, context: Context) -> quota_pb2.Quota:
        self._answer()
        entitlement = quota_pb2.Entitlement(plan="plans/free", context_tokens=CONTEXT_TOKENS)
        meters = [quota_pb2.Decision(meter="chat", remaining=self.left)]
        return quota_pb2.Quota(name=request.name, plan="plans/free", meters=meters, entitlement=entitlement)

    async def Settle(self, request: quota_pb2.SettleRequest, context: Context) -> quota_pb2.Hold:
        self._answer()
        hold = self._hold(request.name)
        if hold.state == quota_pb2.HOLD_STATE_RELEASED:
            raise FailedPrecondition("It was released.", reason="HOLD_RESOLVED")
        if hold.state == quota_pb2.HOLD_STATE_HELD:
            hold.state = quota_pb2.HOLD_STATE_SETTLED
            self.settled.append(request)
        return hold

    async def Release(self, request: quota_pb2.ReleaseRequest, context: Context) -> quota_pb2.Hold:
        self._answer()
        hold = self._hold(request.name)
        if hold.state == quota_pb2.HOLD_STATE_HELD:
            hold.state = quota_pb2.HOLD_STATE_RELEASED
            self.left += 1
        return hold

    def _answer(self) -> None:
        if self.away:
            raise Unavailable("Down.", reason="DATABASE_UNAVAILABLE")
        if self.busy:
            raise Overloaded("Too many changes wait already.", reason="QUEUE_FULL", retry_after_seconds=0.5)

    def _hold(self, name: str) -> quota_pb2.Hold:
        if name not in self.holds:
            raise NotFound("There is no such hold.", reason="HOLD_NOT_FOUND")
        return self.holds[name]


class FakeSearch(search_pb2_grpc.SearchServiceServicer):
    """One character."""

    async def GetCharacter(self, request: search_pb2.GetCharacterRequest, context: Context) -> search_pb2.Character:
        if request.name != "characters/sherlock-holmes":
            raise NotFound("The catalogue has no such character.", reason="CHARACTER_NOT_FOUND")
        return search_pb2.Character(
            name=request.name,
            display_name="Sherlock Holmes",
            title="titles/sherlock",
            title_display_name="Sherlock",
            persona="A consulting detective.",
        )
