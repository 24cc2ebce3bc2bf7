"""What chat_svc asks of its siblings over the mesh."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID, uuid5

import grpc
import structlog
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2

from runtime.errors import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    Internal,
    MeshError,
    NotFound,
    OutOfRange,
    Overloaded,
    QuotaExhausted,
    ResourceExhausted,
    Unavailable,
)
from runtime.status import detail, error_info
from scenemesh.quota.v1 import quota_pb2, quota_pb2_grpc
from services.chat_svc.domain.conversation import METER, Message
from services.chat_svc.domain.model import Class, classes

log = structlog.get_logger()

PREMIUM_METER = "chat_premium"
IMAGES_METER = "image_recognition"
CREDITS_METER = "credits"
CALL_SECONDS_MAX = 3.0
HOLD_SECONDS = 600

Answer = TypeVar("Answer")

# Errors that mean to our caller what they mean to us. All others but the unavailable ones are a defect of ours.
PASSED_ON: dict[grpc.StatusCode, type[MeshError]] = {
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExists,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPrecondition,
    grpc.StatusCode.ABORTED: Aborted,
    grpc.StatusCode.OUT_OF_RANGE: OutOfRange,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhausted,
}
AWAY = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED})


async def answered(call: Awaitable[Answer]) -> Answer:
    """A sibling's answer; its error as the MeshError that it was there."""
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise translated(error) from error


def translated(error: grpc.aio.AioRpcError) -> MeshError:
    """The MeshError of a failed call to a sibling."""
    if error.code() in AWAY:
        return Unavailable("A part of the service cannot be reached just now.", reason="SIBLING_UNAVAILABLE")
    info, message = error_info(error), error.details() or ""
    failure, retry = detail(error, error_details_pb2.QuotaFailure), detail(error, error_details_pb2.RetryInfo)
    if failure is not None:
        decision = detail(error, quota_pb2.Decision)
        details = [decision] if decision is not None else []
        return QuotaExhausted(message, subject=failure.violations[0].subject, metadata=info.metadata, details=details)
    if retry is not None:
        return Overloaded(message, reason=info.reason, retry_after_seconds=retry.retry_delay.ToMilliseconds() / 1000)
    kind = PASSED_ON.get(error.code(), Internal)
    return kind(message, reason=info.reason or error.code().name, metadata=info.metadata)


@dataclass(frozen=True)
class Reservation:
    """A hold, and the tokens that the person's plan lets a prompt have. A turn costs `price` units of `meter`.

    `classes` are the models that it pays for. The images that the turn shows cost `images` units of `images_meter`.
    """

    hold: str
    context_tokens: int
    meter: str
    price: int
    classes: frozenset[Class]
    images: int = 0
    images_meter: str = ""


@dataclass(frozen=True)
class Shown:
    """What images would cost: `units` of `meter`, of which there are enough where they are `paid`."""

    meter: str = ""
    units: int = 0
    paid: bool = True


@dataclass(frozen=True)
class Standing:
    """What a person has left: units by meter, None without limit, and the tokens that a prompt may have.

    `payers` say which meter would pay for one turn, and how many of its units; a meter that nothing pays for has none.
    """

    left: Mapping[str, int | None]
    payers: Mapping[str, tuple[str, int]]
    context_tokens: int

    def pays(self, meter: str, units: int, shown: Shown = Shown()) -> bool:
        """Whether a meter has so many units left, and the images' one enough for those beside them."""
        left = self.left.get(meter, 0)
        units += shown.units if shown.meter == meter else 0
        return shown.paid and (left is None or left >= units)

    def reservation(self, *, premium: bool) -> Reservation:
        """What `Quota.reserve` would give, if it held anything; what it would refuse counts on the chat meter."""
        premium = premium and PREMIUM_METER in self.payers
        payer = self.payers.get(PREMIUM_METER if premium else METER, (METER, 1))
        return Reservation("", self.context_tokens, *payer, classes(premium=premium))


class Quota:
    """Turns on the chat meter, or on the one that pays for them there. `new_id` gives an id for a request."""

    def __init__(self, channel: grpc.aio.Channel, new_id: Callable[[], UUID]) -> None:
        self._stub = quota_pb2_grpc.QuotaServiceStub(channel)
        self._new_id = new_id

    async def reserve(self, user: str, answer: UUID, *, premium: bool, images: int = 0) -> Reservation:
        """A hold for one turn and so many images; QuotaExhausted when there is not enough left for all of it.

        A premium turn where that is wanted and there is one, otherwise a standard one.
        """
        if premium:
            try:
                return await self._held(user, answer, PREMIUM_METER, frozenset(Class), images)
            except QuotaExhausted as error:
                log.info("no premium turn left", reason=error.reason)
        return await self._held(user, uuid5(answer, METER), METER, frozenset({Class.STANDARD}), images)

    async def _held(self, user: str, request: UUID, meter: str, classes: frozenset[Class], images: int) -> Reservation:
        amounts = {meter: 1, IMAGES_METER: images} if images else {meter: 1}
        price = await self._credits(user, meter) if images else 0
        reply = await self._reserve(user, request, amounts)
        if reply.hold.state != quota_pb2.HOLD_STATE_HELD:
            # An earlier try with this id gave its hold back, and this try needs one of its own.
            reply = await self._reserve(user, self._new_id(), amounts)
        units = {line.meter: line.amount for line in reply.hold.lines}
        turn, shown = split(units, meter, price) if images else (next(iter(units.items())), ("", 0))
        if turn[1] < 1:
            # What a turn costs in credits has become another since it was asked.
            await self.release(reply.hold.name)
            raise Aborted("Your credit changed meanwhile: send it again.", reason="CREDIT_CHANGED")
        return Reservation(
            reply.hold.name, reply.entitlement.context_tokens, *turn, classes, images=shown[1], images_meter=shown[0]
        )

    async def _credits(self, user: str, meter: str) -> int:
        """The bought credits that one unit takes now; 0 where the meter itself pays."""
        decision = await self._admission(user, meter)
        return decision.amount if decision.meter == CREDITS_METER else 0

    async def extend(self, hold: str, meter: str, units: int, *, in_part: bool = False) -> int:
        """Makes a hold one of so many units in all, or `in_part` of as many as there are; how many that is.

        QuotaExhausted when there are not as many, or none that are not held.
        """
        request = quota_pb2.ExtendHoldRequest(
            name=hold,
            amounts=[quota_pb2.Amount(meter=meter, amount=units)],
            time_to_live=Duration(seconds=HOLD_SECONDS),
            mode=quota_pb2.RESERVE_MODE_BEST_EFFORT if in_part else quota_pb2.RESERVE_MODE_NORMAL,
        )
        extended = await answered(self._stub.ExtendHold(request, timeout=CALL_SECONDS_MAX))
        return next((line.amount for line in extended.hold.lines if line.meter == meter), 0)

    async def settle(self, answer: Message) -> int | None:
        """Charges what the answer cost, with the images that it looked at.

        Gives the units that its meter has left, None where nothing limits it.
        """
        used = answer.usage
        usage = quota_pb2.Usage(
            resource=answer.name,
            model=answer.model,
            input_tokens=used.input_tokens if used else 0,
            output_tokens=used.output_tokens if used else 0,
        )
        request = quota_pb2.SettleRequest(name=answer.hold, amounts=amounts_of(answer.costs()), usage=usage)
        try:
            settled = await answered(self._stub.Settle(request, timeout=CALL_SECONDS_MAX))
        except FailedPrecondition as error:
            if error.metadata.get("state") != "RELEASED":
                raise
            request.name = await self._held_anew(answer, error)
            settled = await answered(self._stub.Settle(request, timeout=CALL_SECONDS_MAX))
        limited = (one for one in settled.lines if one.meter == answer.meter and one.HasField("remaining_amount"))
        return next((one.remaining_amount for one in limited), None)

    async def _held_anew(self, answer: Message, error: FailedPrecondition) -> str:
        """A hold for what an answer cost, whose own one was given back by a twin of the call that began it.

        The error where the person has nothing left on the same meters. To ask for it twice gives the same hold.
        """
        costs = answer.costs()
        try:
            reply = await self._reserve(answer.user, uuid5(answer.id, "settled"), costs)
        except QuotaExhausted:
            raise error from None
        if {line.meter: line.amount for line in reply.hold.lines} != costs:
            await self.release(reply.hold.name)
            raise error
        return reply.hold.name

    async def release(self, hold: str) -> None:
        await answered(self._stub.Release(quota_pb2.ReleaseRequest(name=hold), timeout=CALL_SECONDS_MAX))

    async def standing(self, user: str) -> Standing:
        """What the person has left on every meter."""
        request = quota_pb2.GetQuotaRequest(name=f"users/{user}/quota")
        quota = await answered(self._stub.GetQuota(request, timeout=CALL_SECONDS_MAX))
        left = {one.meter: None if one.unlimited else one.remaining for one in quota.meters}
        decisions = {meter: await self._admission(user, meter) for meter in (METER, PREMIUM_METER)}
        payers = {meter: (one.meter, one.amount) for meter, one in decisions.items() if _admitted(one)}
        return Standing(left, payers, quota.entitlement.context_tokens)

    async def admits(self, user: str, meter: str) -> bool:
        """Whether the person's plan or credits would pay for one unit now."""
        return _admitted(await self._admission(user, meter))

    async def shown(self, user: str, images: int) -> Shown:
        """What so many images would cost the person."""
        decision = await self._admission(user, IMAGES_METER, images)
        return Shown(decision.meter, decision.amount, _admitted(decision))

    async def _admission(self, user: str, meter: str, amount: int = 1) -> quota_pb2.Decision:
        request = quota_pb2.CheckAdmissionRequest(parent=f"users/{user}", meter=meter, amount=amount)
        return await answered(self._stub.CheckAdmission(request, timeout=CALL_SECONDS_MAX))

    async def _reserve(self, user: str, request_id: UUID, amounts: Mapping[str, int]) -> quota_pb2.ReserveResponse:
        request = quota_pb2.ReserveRequest(
            parent=f"users/{user}",
            request_id=str(request_id),
            amounts=amounts_of(amounts),
            time_to_live=Duration(seconds=HOLD_SECONDS),
        )
        return await answered(self._stub.Reserve(request, timeout=CALL_SECONDS_MAX))


def _admitted(decision: quota_pb2.Decision) -> bool:
    return decision.outcome == quota_pb2.OUTCOME_ADMITTED


def amounts_of(units: Mapping[str, int]) -> list[quota_pb2.Amount]:
    """Units by meter as the contract says them."""
    return [quota_pb2.Amount(meter=meter, amount=amount) for meter, amount in units.items()]


def split(units: Mapping[str, int], meter: str, price: int) -> tuple[tuple[str, int], tuple[str, int]]:
    """Which meter of a hold keeps how much back for the turn, and which for its images.

    Where credits pay for both they stand on one line, of which `price` is for the turn: 0 for either then means that it
    is not for this hold.
    """
    if len(units) == 1:
        ((payer, amount),) = units.items()
        shown = amount - price if price else amount
        return (payer, price if shown > 0 else 0), (payer, shown)
    if IMAGES_METER in units:
        turn = next(one for one in units.items() if one[0] != IMAGES_METER)
        return turn, (IMAGES_METER, units[IMAGES_METER])
    return (meter, units[meter]), (CREDITS_METER, units[CREDITS_METER])
