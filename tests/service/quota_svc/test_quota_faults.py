"""Requests that break a rule: each method refuses them by their field, and nothing is written."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import BadRequest

from runtime.postgres import Pool
from runtime.status import detail
from scenemesh.quota.v1 import quota_pb2
from tests.service.quota_svc.desk import Desk, amounts, operator, person, refused

ID = "0b5f8a52-4f3e-4d1c-9a51-6a0a6d1f7c11"
HOLD = f"users/ann/holds/{ID}"
CHAT = amounts({"chat": 1})
MINUTE = timedelta(minutes=1)
REFUND = quota_pb2.ADJUSTMENT_REASON_REFUND
PROMO = quota_pb2.SOURCE_PROMO

# A request of each method that breaks no rule, and who sends it.
SOUND: dict[str, tuple[str, Message]] = {
    "GetQuota": ("person", quota_pb2.GetQuotaRequest(name="users/me/quota")),
    "WatchQuota": ("person", quota_pb2.WatchQuotaRequest(name="users/me/quota")),
    "UpdateQuota": (
        "person",
        quota_pb2.UpdateQuotaRequest(quota=quota_pb2.Quota(name="users/me/quota", time_zone="UTC")),
    ),
    "ListEntries": ("person", quota_pb2.ListEntriesRequest(parent="users/me")),
    "CheckAdmission": ("chat", quota_pb2.CheckAdmissionRequest(parent="users/ann", meter="chat", amount=1)),
    "Reserve": (
        "chat",
        quota_pb2.ReserveRequest(parent="users/ann", request_id=ID, amounts=CHAT, time_to_live=MINUTE),
    ),
    "ExtendHold": ("chat", quota_pb2.ExtendHoldRequest(name=HOLD, amounts=CHAT)),
    "Settle": ("chat", quota_pb2.SettleRequest(name=HOLD, amounts=CHAT)),
    "Release": ("chat", quota_pb2.ReleaseRequest(name=HOLD)),
    "Grant": (
        "billing",
        quota_pb2.GrantRequest(parent="users/ann", request_id=ID, meter="chat", amount=1, source=PROMO),
    ),
    "Adjust": (
        "billing",
        quota_pb2.AdjustRequest(parent="users/ann", request_id=ID, meter="chat", amount=1, reason=REFUND),
    ),
    "SetPlan": ("billing", quota_pb2.SetPlanRequest(parent="users/ann", request_id=ID, plan="plans/ten")),
    "ListHolds": ("operator", quota_pb2.ListHoldsRequest(parent="users/ann")),
    "VoidHold": ("operator", quota_pb2.VoidHoldRequest(name=HOLD, reason="stuck")),
}

BAD_USERS = ("", "ann", "users/", "users/a/b", "users/a b", "users/a\0", "users/é", "users/" + "a" * 129)
BAD_HOLDS = ("", "users/ann", f"users/ann/holds/{ID.upper()}", f"users/ann/holds/{ID}0", f"users//holds/{ID}", "x\0")
BAD_QUOTAS = ("", "users/ann", "users/ann/quotas", "users//quota", "users/ann\0/quota")
BAD_IDS = ("", "no", ID[:-1], f"{ID}\0", "{" + ID + "}")
BAD_METERS = ("", "Chat", "chat\0", "chat;", "a" * 41)
BAD_UNITS = (0, -1, 1_000_000_001, 2**63 - 1, -(2**63))
BAD_TIMES = (Timestamp(seconds=2**62), Timestamp(seconds=-(2**62)), Timestamp(nanos=-1), Timestamp(nanos=2**30))

FAULTS: dict[str, dict[str, tuple[Any, ...]]] = {
    "GetQuota": {"name": BAD_QUOTAS, "read_time": BAD_TIMES},
    "WatchQuota": {"name": BAD_QUOTAS},
    "UpdateQuota": {"quota.name": BAD_QUOTAS, "quota.time_zone": ("Mars", "UTC\0", "a" * 65, "/etc/localtime")},
    "ListEntries": {
        "parent": BAD_USERS,
        "page_size": (-1, 101, 2**31 - 1),
        "page_token": ("x" * 501, "x\0", "é", "bnVsbA"),
        "meter": BAD_METERS[1:],
        "source": (9,),
        "start_time": BAD_TIMES,
        "end_time": BAD_TIMES,
    },
    "CheckAdmission": {"parent": BAD_USERS, "meter": BAD_METERS, "amount": BAD_UNITS},
    "Reserve": {"parent": BAD_USERS, "request_id": BAD_IDS, "overage": (7,), "mode": (7,)},
    "ExtendHold": {"name": BAD_HOLDS, "time_to_live": (timedelta(0), timedelta(days=2)), "mode": (7,)},
    "Settle": {"name": BAD_HOLDS, "usage.model": ("m" * 101, "m\0"), "usage.input_tokens": (-1,)},
    "Release": {"name": BAD_HOLDS},
    "Grant": {
        "parent": BAD_USERS,
        "request_id": BAD_IDS,
        "meter": BAD_METERS,
        "amount": BAD_UNITS,
        "priority": (-1, 1001),
        "source": (0, 1, 9),
        "rollover": (-1, 1, 2**63 - 1),
        "start_time": BAD_TIMES,
        "expire_time": BAD_TIMES,
    },
    "Adjust": {
        "parent": BAD_USERS,
        "request_id": BAD_IDS,
        "meter": BAD_METERS,
        "amount": (0, 1_000_000_001, -1_000_000_001, -(2**63)),
        "reason": (0, 9),
        "credit": ("x", "users/ann/credits/x", f"users/ann/holds/{ID}"),
    },
    "SetPlan": {
        "parent": BAD_USERS,
        "request_id": BAD_IDS,
        "plan": ("", "ten", "plans/", "plans/Ten", "plans/ten\0"),
        "usage": (7,),
        "anchor_time": BAD_TIMES,
    },
    "ListHolds": {"parent": BAD_USERS, "page_size": (-1, 101), "page_token": ("x" * 501, "x\0"), "state": (9,)},
    "VoidHold": {"name": BAD_HOLDS, "reason": ("", "a" * 301, "why\0")},
}

# Several meters in one request.
AMOUNTS = {
    "none at all": [],
    "nothing": amounts({"chat": 0}),
    "less than nothing": amounts({"chat": -1}),
    "more than there can be": amounts({"chat": 1_000_000_001}),
    "the largest number": amounts({"chat": 2**63 - 1}),
    "the smallest number": amounts({"chat": -(2**63)}),
    "a meter twice": [*CHAT, *CHAT],
    "too many": [quota_pb2.Amount(meter=f"m_{'a' * number}", amount=1) for number in range(17)],
    "no name": amounts({"": 1}),
    "a NUL": amounts({"chat\0": 1}),
}


def broken(request: Message, path: str, value: object) -> Message:
    """The request with another value at `path`."""
    *outer, field = path.split(".")
    changed = type(request)()
    changed.CopyFrom(request)
    part: Any = changed
    for name in outer:
        part = getattr(part, name)
    if isinstance(value, Message):
        getattr(part, field).CopyFrom(value)
    elif isinstance(value, timedelta):
        getattr(part, field).FromTimedelta(value)
    else:
        setattr(part, field, value)
    return changed


def fields(error: Any) -> list[str]:
    """The fields that a refusal names, without their indices."""
    assert error.code().name == "INVALID_ARGUMENT", error
    bad = detail(error, BadRequest)
    assert bad is not None
    return [violation.field.replace("[0]", "").replace("[1]", "") for violation in bad.field_violations]


async def answer(desk: Desk, method: str, request: Message) -> Any:
    """The refusal of the request by whoever may send it."""
    who = SOUND[method][0]
    metadata = {"person": person(), "operator": operator()}.get(who, ())
    call = getattr(desk.stub("edge" if metadata else who), method)(request, metadata=metadata)
    return await refused(call.read() if method == "WatchQuota" else call)


def cases() -> Iterator[tuple[str, str]]:
    for method, paths in FAULTS.items():
        for path in paths:
            yield method, path


async def nothing_written(connections: Pool) -> bool:
    # An account may be open and empty: that is the same as none.
    tables = ("credits", "holds", "entries", "postings", "adjustments", "plan_changes", "outbox")
    counts = [await connections.fetchval(f"SELECT count(*) FROM {table}") for table in tables]
    return not any(counts)


@pytest.mark.parametrize(("method", "path"), list(cases()))
async def test_a_value_that_breaks_a_rule_is_refused_by_its_field_and_writes_nothing(
    desk: Desk, connections: Pool, method: str, path: str
) -> None:
    for value in FAULTS[method][path]:
        error = await answer(desk, method, broken(SOUND[method][1], path, value))
        named = fields(error)
        # A rule over a whole message names the message.
        assert {path, path.split(".")[0]} & set(named), (value, named)
    assert await nothing_written(connections)


# A hold can be made to live longer and keep what it keeps: ExtendHold needs no amounts.
AMOUNT_FAULTS = [
    (method, what)
    for method in ("Reserve", "ExtendHold", "Settle")
    for what in AMOUNTS
    if (method, what) != ("ExtendHold", "none at all")
]


@pytest.mark.parametrize(("method", "what"), AMOUNT_FAULTS)
async def test_amounts_that_break_a_rule_are_refused_and_write_nothing(
    desk: Desk, connections: Pool, method: str, what: str
) -> None:
    request: Any = type(SOUND[method][1])()
    request.CopyFrom(SOUND[method][1])
    del request.amounts[:]
    request.amounts.extend(AMOUNTS[what])
    assert all(field.startswith("amounts") for field in fields(await answer(desk, method, request)))
    assert await nothing_written(connections)


async def test_a_fault_in_one_item_of_a_batch_is_the_whole_calls(desk: Desk, connections: Pool) -> None:
    good, bad = desk.reserve_request(1), desk.reserve_request(1)
    bad.amounts[0].amount = 0
    for all_or_nothing in (False, True):
        request = quota_pb2.BatchReserveRequest(requests=[good, bad], all_or_nothing=all_or_nothing)
        fields(await refused(desk.chat.BatchReserve(request)))
    nothing = quota_pb2.SettleRequest(name=HOLD, amounts=amounts({"chat": 0}))
    fields(await refused(desk.chat.BatchSettle(quota_pb2.BatchSettleRequest(requests=[nothing]))))
    assert await nothing_written(connections)


async def test_every_method_is_asked_something_wrong() -> None:
    methods = {method.name for method in quota_pb2.DESCRIPTOR.services_by_name["QuotaService"].methods}
    assert methods == {*FAULTS, "BatchReserve", "BatchSettle"}
    assert FAULTS.keys() == SOUND.keys()
