"""Whether the ledger is what the clients were told, each thing once, and nothing else."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import asyncpg

from scenemesh.quota.v1 import quota_pb2
from services.quota_svc import convert
from services.quota_svc.domain.meter import CREDITS
from services.quota_svc.meters import meters
from services.quota_svc.store import rows
from tests.service.quota_svc.crash.journal import GrantRecord, HoldRecord, Journal
from tests.service.quota_svc.desk import EXPIRED, HELD, RELEASED, SETTLED, VOIDED

PRICES = meters()


async def faults(connection: "asyncpg.Connection[asyncpg.Record]", journal: Journal) -> list[str]:
    """Everything that is not as it was told, in words."""
    holds = {}
    for row in await connection.fetch("SELECT * FROM holds"):
        hold = convert.hold_to_proto(row["user_id"], rows.hold(row))
        holds[hold.name] = hold
    given = {}
    for row in await connection.fetch("SELECT * FROM credits WHERE NOT allowance"):
        credit = convert.credit_to_proto(row["user_id"], rows.credit(row))
        given[credit.name] = credit
    unasked = {*holds, *given} - {*journal.holds, *journal.grants}
    strangers = [f"nobody asked for {name}" for name in sorted(unasked)]
    held = [fault for name, record in journal.holds.items() for fault in _hold_faults(record, holds.get(name))]
    granted = [fault for name, record in journal.grants.items() for fault in _grant_faults(record, given.get(name))]
    return strangers + held + granted


def _hold_faults(record: HoldRecord, kept: quota_pb2.Hold | None) -> Iterator[str]:
    if kept is None:
        if record.told:
            yield f"{record.name} was told and is gone: {record.told}"
        return
    if record.taking.refused:
        yield f"{record.name} was refused and is there: {kept}"
    for told in record.told:
        if not _follows(told, kept):
            yield f"{record.name} was told as {told} and is {kept}"
    asked = [wish.units for wish in (record.taking, *record.extensions) if not wish.refused]
    paid = _paid(record.taking.units)
    for line in kept.lines:
        wished = {units.get(line.meter) for units in asked} | (paid if line.meter == CREDITS else set())
        if line.amount not in wished:
            yield f"{record.name} holds what nobody asked for: {line}"
    if not _wished(record, kept):
        yield f"{record.name} is over in a way that nobody asked for: {kept}"


def _paid(units: Mapping[str, int]) -> set[int]:
    """What a hold may keep of bought credits, which pay for some of the meters that were asked for, or for all."""
    prices = [units[meter] * PRICES.meter(meter).price for meter in units if meter != CREDITS]
    some = [sum(chosen) for count in range(1, len(prices) + 1) for chosen in combinations(prices, count)]
    return {units.get(CREDITS, 0) + price for price in some}


def _follows(told: quota_pb2.Hold, kept: quota_pb2.Hold) -> bool:
    """Whether a hold that once was as `told` may have become as it is `kept`."""
    if told.state != HELD:
        told = quota_pb2.Hold.FromString(told.SerializeToString())
        for line in told.lines:
            # Of that moment, and not kept.
            line.ClearField("remaining_amount")
        return told == kept
    held = {line.meter: line.amount for line in told.lines}
    larger = {line.meter: line.amount for line in kept.lines}
    later = kept.expire_time.ToNanoseconds() >= told.expire_time.ToNanoseconds()
    same = told.create_time == kept.create_time and held.keys() == larger.keys()
    return same and later and all(larger[meter] >= units for meter, units in held.items())


def _wished(record: HoldRecord, kept: quota_pb2.Hold) -> bool:
    """Whether somebody asked for the end that the hold has had."""
    used = {one.meter: one.settled_amount + one.uncovered_amount for one in kept.lines}
    charged = {meter: units for meter, units in used.items() if units}
    ends = {
        HELD: True,
        EXPIRED: kept.resolve_time == kept.expire_time,
        RELEASED: any(not wish.refused for wish in record.releases),
        VOIDED: any(not wish.refused for wish in record.voidings),
        SETTLED: any(not wish.refused and wish.units == charged for wish in record.settlements),
    }
    return ends[kept.state]


def _grant_faults(record: GrantRecord, kept: quota_pb2.Credit | None) -> Iterator[str]:
    if kept is None:
        if record.told:
            yield f"{record.name} was told and is gone: {record.told}"
        return
    asked: dict[Any, Any] = {"meter": record.request.meter, "amount": record.request.amount}
    if record.wish.refused or asked != {"meter": kept.meter, "amount": kept.amount}:
        yield f"{record.name} was asked for as {asked}, refused {record.wish.refused}, and is {kept}"
    for told in record.told:
        if told != kept:
            yield f"{record.name} was told as {told} and is {kept}"
