"""quota_svc and search_svc as chat_svc sees them on the wire."""

from __future__ import annotations

import asyncio
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

# Their names and who they are.
CHARACTERS = {
    "characters/sherlock-holmes": ("Sherlock Holmes", "A consulting detective."),
    "characters/john-watson": ("John Watson", "A doctor who writes it all down."),
    "characters/mycroft-holmes": ("Mycroft Holmes", "The government, more or less."),
}


class FakeQuota(quota_pb2_grpc.QuotaServiceServicer):
    """Turns on one meter: `left` of them, and every hold ever taken, each as so many units of the `payer`.

    `others` are what is left of the meters beside it, and `payers` who pays there. While `away` or `busy` it answers
    nobody. Settle waits for `settles`.
    """

    def __init__(self) -> None:
        self.left = 5
        self.payer = ("chat", 1)
        self.others = {"image_recognition": 10, "transcription": 10, "speech": 10}
        self.payers: dict[str, tuple[str, int]] = {}
        self.away = False
        self.busy = False
        self.settles = asyncio.Event()
        self.settles.set()
        self.holds: dict[str, quota_pb2.Hold] = {}
        self.settled: list[quota_pb2.SettleRequest] = []
        self._taken: dict[str, dict[str, int]] = {}

    def states(self) -> list[int]:
        """How far each hold is, in the order in which they were taken."""
        return [hold.state for hold in self.holds.values()]

    async def Reserve(self, request: quota_pb2.ReserveRequest, context: Context) -> quota_pb2.ReserveResponse:
        self._answer()
        name = f"{request.parent}/holds/{request.request_id}"
        if name not in self.holds:
            for wanted in request.amounts:
                if self.others.get(wanted.meter, self.left) < wanted.amount:
                    subject = f"{request.parent}/meters/{wanted.meter if wanted.meter in self.others else 'chat'}"
                    metadata = {"meter": wanted.meter, "plan": "plans/free"}
                    raise QuotaExhausted(SPENT.message, subject=subject, metadata=metadata, details=[SPENT])
            held: dict[str, int] = {}
            for wanted in request.amounts:
                self._take(wanted.meter, wanted.amount)
                meter, price = self._payer(wanted.meter)
                held[meter] = held.get(meter, 0) + wanted.amount * price
            lines = [quota_pb2.HoldLine(meter=meter, amount=amount) for meter, amount in held.items()]
            self.holds[name] = quota_pb2.Hold(name=name, lines=lines, state=quota_pb2.HOLD_STATE_HELD)
            self._taken[name] = {wanted.meter: wanted.amount for wanted in request.amounts}
        entitlement = quota_pb2.Entitlement(plan="plans/free", context_tokens=CONTEXT_TOKENS)
        return quota_pb2.ReserveResponse(hold=self.holds[name], entitlement=entitlement)

    async def ExtendHold(self, request: quota_pb2.ExtendHoldRequest, context: Context) -> quota_pb2.ReserveResponse:
        self._answer()
        hold = self._hold(request.name)
        (wanted,) = request.amounts
        more = (wanted.amount - hold.lines[0].amount) // self.payer[1]
        if request.mode == quota_pb2.RESERVE_MODE_BEST_EFFORT and self.left:
            more = min(more, self.left)
        if self.left < more:
            subject, metadata = f"{request.name}/meters/chat", {"meter": wanted.meter, "plan": "plans/free"}
            raise QuotaExhausted(SPENT.message, subject=subject, metadata=metadata, details=[SPENT])
        self.left -= more
        hold.lines[0].amount += more * self.payer[1]
        return quota_pb2.ReserveResponse(hold=hold)

    async def GetQuota(self, request: quota_pb2.GetQuotaRequest, context: Context) -> quota_pb2.Quota:
        self._answer()
        entitlement = quota_pb2.Entitlement(plan="plans/free", context_tokens=CONTEXT_TOKENS)
        payer, price = self.payer
        meters = [quota_pb2.Decision(meter=payer, remaining=self.left * price)]
        return quota_pb2.Quota(name=request.name, plan="plans/free", meters=meters, entitlement=entitlement)

    async def Settle(self, request: quota_pb2.SettleRequest, context: Context) -> quota_pb2.Hold:
        await self.settles.wait()
        self._answer()
        hold = self._hold(request.name)
        if hold.state == quota_pb2.HOLD_STATE_RELEASED:
            raise FailedPrecondition("It was released.", reason="HOLD_RESOLVED", metadata={"state": "RELEASED"})
        if hold.state == quota_pb2.HOLD_STATE_HELD:
            hold.state = quota_pb2.HOLD_STATE_SETTLED
            self.settled.append(request)
        told = quota_pb2.Hold()
        told.CopyFrom(hold)
        for line in told.lines:
            line.remaining_amount = self.others.get(line.meter, self.left)
        return told

    async def Release(self, request: quota_pb2.ReleaseRequest, context: Context) -> quota_pb2.Hold:
        self._answer()
        hold = self._hold(request.name)
        if hold.state == quota_pb2.HOLD_STATE_HELD:
            hold.state = quota_pb2.HOLD_STATE_RELEASED
            for meter, amount in self._taken[request.name].items():
                self._take(meter, -amount)
        return hold

    async def CheckAdmission(self, request: quota_pb2.CheckAdmissionRequest, context: Context) -> quota_pb2.Decision:
        self._answer()
        meter, price = self._payer(request.meter)
        return quota_pb2.Decision(meter=meter, amount=price * request.amount, outcome=quota_pb2.OUTCOME_ADMITTED)

    def charges(self) -> list[dict[str, int]]:
        """Units by meter of every charge."""
        return [{one.meter: one.amount for one in settled.amounts} for settled in self.settled]

    def _payer(self, meter: str) -> tuple[str, int]:
        return self.payers.get(meter, (meter, 1) if meter in self.others else self.payer)

    def _take(self, meter: str, amount: int) -> None:
        if meter in self.others:
            self.others[meter] -= amount
        else:
            self.left -= amount

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
    """A few characters of one title."""

    async def GetCharacter(self, request: search_pb2.GetCharacterRequest, context: Context) -> search_pb2.Character:
        if request.name not in CHARACTERS:
            raise NotFound("The catalogue has no such character.", reason="CHARACTER_NOT_FOUND")
        return search_pb2.Character(
            name=request.name,
            display_name=CHARACTERS[request.name][0],
            title="titles/sherlock",
            title_display_name="Sherlock",
            persona=CHARACTERS[request.name][1],
        )
