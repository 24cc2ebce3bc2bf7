"""The ledger of quota_svc, in memory: holds that resolve at most once, and every charge."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from runtime.errors import AlreadyExists, FailedPrecondition, NotFound, OutOfRange, QuotaExhausted, Unavailable
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc.domain.conversation import METER
from services.chat_svc.siblings import PREMIUM_METER
from tests.unit.chat_svc.simulation.line import Line

CREDITS = "credits"
# What a turn costs in credits, where the plan has none left.
CREDITS_PER_TURN = 3
CONTEXT_TOKENS = 4_000

HELD, SETTLED = quota_pb2.HOLD_STATE_HELD, quota_pb2.HOLD_STATE_SETTLED
RELEASED, EXPIRED = quota_pb2.HOLD_STATE_RELEASED, quota_pb2.HOLD_STATE_EXPIRED
STATES: dict[int, str] = {HELD: "HELD", SETTLED: "SETTLED", RELEASED: "RELEASED", EXPIRED: "EXPIRED"}
METERS = (METER, PREMIUM_METER, CREDITS)


def sibling_away() -> Exception:
    return Unavailable("Down.", reason="SIBLING_UNAVAILABLE")


@dataclass
class Hold:
    """So many units of a meter of one person's, kept back; `asked` is the meter that was wanted."""

    name: str
    user: str
    asked: str
    meter: str
    amount: int
    expire: float
    state: int = HELD
    resolutions: int = 0


@dataclass(frozen=True)
class Charge:
    """What was taken for good: units of a meter, for the use of a resource."""

    hold: str
    resource: str
    meter: str
    units: int
    input_tokens: int
    output_tokens: int


@dataclass
class Ledger:
    """`left` is what each person has on each meter, less what is held and charged.

    The holds named in `short` were to grow, and did not, or not as far as was wanted.
    """

    left: dict[tuple[str, str], int] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    charges: list[Charge] = field(default_factory=list)
    short: set[str] = field(default_factory=set)

    def expire(self, now: float) -> None:
        """Ends holds whose time is over."""
        for hold in self.holds.values():
            if hold.state == HELD and hold.expire <= now:
                self._resolved(hold, EXPIRED, 0)

    def Reserve(self, request: quota_pb2.ReserveRequest, now: float) -> quota_pb2.ReserveResponse:
        user, (wanted,) = request.parent.removeprefix("users/"), request.amounts
        name = f"{request.parent}/holds/{request.request_id}"
        hold = self.holds.get(name)
        if hold is None:
            hold = self.holds[name] = self._taken(name, user, wanted.meter, wanted.amount)
            hold.expire = now + request.time_to_live.seconds
        elif hold.asked != wanted.meter:
            raise AlreadyExists("Another request.", reason="REQUEST_ID_REUSED")
        return _reserved(hold)

    def ExtendHold(self, request: quota_pb2.ExtendHoldRequest, now: float) -> quota_pb2.ReserveResponse:
        hold, (wanted,) = self._hold(request.name), request.amounts
        if hold.state != HELD:
            self.short.add(hold.name)
            raise over(hold)
        assert wanted.meter == hold.meter
        if wanted.amount < hold.amount:
            raise OutOfRange("Less than is held.", reason="AMOUNT_BELOW_HOLD")
        more, left = wanted.amount - hold.amount, self.left[hold.user, hold.meter]
        if left < more:
            self.short.add(hold.name)
        if left and request.mode == quota_pb2.RESERVE_MODE_BEST_EFFORT:
            more = min(more, left)
        self._take(hold.user, hold.meter, more)
        hold.amount += more
        hold.expire = max(hold.expire, now + request.time_to_live.seconds)
        return _reserved(hold)

    def Settle(self, request: quota_pb2.SettleRequest, now: float) -> quota_pb2.Hold:
        hold, (charged,), usage = self._hold(request.name), request.amounts, request.usage
        tokens = usage.input_tokens, usage.output_tokens
        charge = Charge(hold.name, usage.resource, charged.meter, charged.amount, *tokens)
        if hold.state == SETTLED and any((one.hold, one.units) == (hold.name, charged.amount) for one in self.charges):
            return _told(hold)
        if hold.state != HELD:
            raise over(hold)
        assert charged.meter == hold.meter
        if charged.amount > hold.amount:
            raise OutOfRange("More than is held.", reason="AMOUNT_EXCEEDS_HOLD")
        self._resolved(hold, SETTLED, charged.amount)
        self.charges.append(charge)
        return _told(hold)

    def Release(self, request: quota_pb2.ReleaseRequest, now: float) -> quota_pb2.Hold:
        hold = self._hold(request.name)
        if hold.state == SETTLED:
            raise over(hold)
        if hold.state == HELD:
            self._resolved(hold, RELEASED, 0)
        return _told(hold)

    def _hold(self, name: str) -> Hold:
        if name not in self.holds:
            raise NotFound("There is no such hold.", reason="HOLD_NOT_FOUND")
        return self.holds[name]

    def _taken(self, name: str, user: str, meter: str, units: int) -> Hold:
        """A hold on the meter, or on credits where they pay for it."""
        if meter == METER and self.left[user, meter] < units <= self.left[user, CREDITS] // CREDITS_PER_TURN:
            self._take(user, CREDITS, units * CREDITS_PER_TURN)
            return Hold(name, user, meter, CREDITS, units * CREDITS_PER_TURN, 0.0)
        self._take(user, meter, units)
        return Hold(name, user, meter, meter, units, 0.0)

    def _take(self, user: str, meter: str, units: int) -> None:
        if self.left[user, meter] < units:
            raise QuotaExhausted("All used.", subject=f"users/{user}/meters/{meter}", metadata={})
        self.left[user, meter] -= units

    def _resolved(self, hold: Hold, state: int, charged: int) -> None:
        hold.state = state
        hold.resolutions += 1
        self.left[hold.user, hold.meter] += hold.amount - charged


class QuotaChannel:
    """One process's channel to the ledger, as far as its stub uses one."""

    def __init__(self, ledger: Ledger, line: Line) -> None:
        self._ledger = ledger
        self._line = line

    def unary_unary(self, method: str, *_: Any, **__: Any) -> Callable[..., Awaitable[Any]]:
        return partial(self._answered, method.rpartition("/")[2])

    def unary_stream(self, *_: Any, **__: Any) -> None:
        """Nobody asks for streams here."""

    async def _answered(self, method: str, request: Any, timeout: float) -> Any:
        loop, handler = asyncio.get_running_loop(), getattr(self._ledger, method)
        return await self._line.call(lambda: handler(request, loop.time()), timeout)


def over(hold: Hold) -> FailedPrecondition:
    return FailedPrecondition("The hold is over.", reason="HOLD_RESOLVED", metadata={"state": STATES[hold.state]})


def _told(hold: Hold) -> quota_pb2.Hold:
    line = quota_pb2.HoldLine(meter=hold.meter, amount=hold.amount)
    return quota_pb2.Hold(name=hold.name, lines=[line], state=hold.state)  # type: ignore[arg-type]


def _reserved(hold: Hold) -> quota_pb2.ReserveResponse:
    entitlement = quota_pb2.Entitlement(plan="plans/free", context_tokens=CONTEXT_TOKENS)
    return quota_pb2.ReserveResponse(hold=_told(hold), entitlement=entitlement)
