"""Rows as domain values."""

import asyncpg

from services.quota_svc.domain.account import Account
from services.quota_svc.domain.entry import Entry, EntryKind, Movement, Usage
from services.quota_svc.domain.hold import Hold, HoldState, ReserveOrder
from services.quota_svc.domain.meter import Split


def account(row: asyncpg.Record) -> Account:
    return Account(row["user_id"], row["plan"], row["plan_time"])


def hold(row: asyncpg.Record) -> Hold:
    order = ReserveOrder(
        user=row["user_id"],
        request_id=row["request_id"],
        meter=row["meter"],
        amount=row["amount"],
        time_to_live=row["expire_time"] - row["create_time"],
    )
    return Hold(
        order=order,
        id=row["id"],
        split=Split(row["from_allowance"], row["from_grants"]),
        create_time=row["create_time"],
        state=HoldState(row["state"]),
        settled_amount=row["settled_amount"],
    )


def entry(row: asyncpg.Record) -> Entry:
    movement = Movement(
        user=row["user_id"],
        meter=row["meter"],
        amount=row["amount"],
        kind=EntryKind(row["kind"]),
        reserve_time=row["reserve_time"],
        create_time=row["create_time"],
        hold=row["hold"],
        usage=_usage(row),
        request_id=row["request_id"],
    )
    return Entry(row["number"], movement)


def _usage(row: asyncpg.Record) -> Usage | None:
    if row["usage_resource"] is None:
        return None
    return Usage(row["usage_resource"], row["usage_model"], row["usage_input_tokens"], row["usage_output_tokens"])
