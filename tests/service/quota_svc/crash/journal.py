"""What the clients asked for and were told. The ledger is judged by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from scenemesh.quota.v1 import quota_pb2

Units = Mapping[str, int]


@dataclass(slots=True)
class Wish:
    """Something asked for. `refused` when no attempt at it can have come true."""

    units: Units
    refused: bool = False


@dataclass(slots=True)
class HoldRecord:
    """Everything about one hold; `told` are all the answers with it, as they came."""

    request: quota_pb2.ReserveRequest
    taking: Wish
    told: list[quota_pb2.Hold] = field(default_factory=list)
    extensions: list[Wish] = field(default_factory=list)
    settlements: list[Wish] = field(default_factory=list)
    releases: list[Wish] = field(default_factory=list)
    voidings: list[Wish] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.request.parent}/holds/{self.request.request_id}"

    @property
    def held(self) -> dict[str, int]:
        """Units by meter, as last told."""
        return {line.meter: line.amount for line in self.told[-1].lines}


@dataclass(slots=True)
class GrantRecord:
    """Everything about one grant."""

    request: quota_pb2.GrantRequest
    wish: Wish
    told: list[quota_pb2.Credit] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.request.parent}/credits/{self.request.request_id}"


@dataclass
class Journal:
    """`live` are the holds that may still be; `outcomes` and `retries` are counted for the report."""

    holds: dict[str, HoldRecord] = field(default_factory=dict)
    grants: dict[str, GrantRecord] = field(default_factory=dict)
    live: list[HoldRecord] = field(default_factory=list)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    retries: Counter[str] = field(default_factory=Counter)

    def hold(self, request: quota_pb2.ReserveRequest) -> HoldRecord:
        """Notes that a hold will be asked for."""
        units = {amount.meter: amount.amount for amount in request.amounts}
        record = HoldRecord(request, Wish(units))
        self.holds[record.name] = record
        return record

    def grant(self, request: quota_pb2.GrantRequest) -> GrantRecord:
        """Notes that a grant will be asked for."""
        record = GrantRecord(request, Wish({request.meter: request.amount}))
        self.grants[record.name] = record
        return record

    def taken(self, record: HoldRecord, hold: quota_pb2.Hold) -> None:
        """Notes the hold that Reserve answered with."""
        record.told.append(hold)
        self.live.append(record)
