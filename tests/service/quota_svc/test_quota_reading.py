import base64
import json

import grpc
import pytest

from runtime import pages
from scenemesh.quota.v1 import quota_pb2
from scenemesh.quota.v1.quota_pb2_grpc import QuotaServiceStub
from tests.service.quota_svc.desk import Desk, told


async def refused(call: object) -> tuple[str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await call  # type: ignore[misc]
    return told(refusal.value)


async def test_another_users_quota_and_ledger_are_not_found(desk: Desk) -> None:
    await desk.reserve(user="bob")
    assert await refused(desk.quota("users/bob/quota")) == ("NOT_FOUND", "QUOTA_NOT_FOUND")
    assert await refused(desk.quota("users/nobody/quota")) == ("NOT_FOUND", "QUOTA_NOT_FOUND")
    assert await refused(desk.entries(parent="users/bob")) == ("NOT_FOUND", "ENTRIES_NOT_FOUND")


async def test_a_user_may_say_their_own_name(desk: Desk) -> None:
    assert await desk.quota("users/ann/quota") == await desk.quota("users/me/quota")
    assert (await desk.entries(parent="users/ann")).entries == []


@pytest.mark.parametrize(("peer", "code"), [("chat", "PERMISSION_DENIED"), ("edge", "UNAUTHENTICATED")])
async def test_a_sibling_and_an_anonymous_caller_read_nothing(desk: Desk, peer: str, code: str) -> None:
    stub = QuotaServiceStub(desk.dial(peer))
    assert (await refused(stub.GetQuota(quota_pb2.GetQuotaRequest(name="users/ann/quota"))))[0] == code
    assert (await refused(stub.ListEntries(quota_pb2.ListEntriesRequest(parent="users/ann"))))[0] == code


async def test_a_quota_lists_every_meter_of_the_plan_by_name(desk: Desk) -> None:
    desk.billing.subscribe("ann", "plans/pro")
    await desk.grant(1, meter="video")
    quota = await desk.quota()
    assert (quota.plan, [meter.meter for meter in quota.meters]) == (
        "plans/pro",
        ["chat", "image_generation", "video"],
    )


async def test_pages_of_entries_go_on_where_the_last_one_ended(desk: Desk) -> None:
    for amount in range(1, 6):
        await desk.grant(amount)
    first = await desk.entries(page_size=2)
    await desk.grant(6)
    second = await desk.entries(2, first.next_page_token)
    third = await desk.entries(2, second.next_page_token)
    pages = [[entry.amount for entry in page.entries] for page in (first, second, third)]
    assert (pages, third.next_page_token) == ([[5, 4], [3, 2], [1]], "")


async def test_a_last_page_that_is_full_has_no_next(desk: Desk) -> None:
    await desk.grant(1)
    await desk.grant(2)
    page = await desk.entries(page_size=2)
    assert ([entry.amount for entry in page.entries], page.next_page_token) == ([2, 1], "")


async def test_a_page_has_fifty_entries_unless_it_is_told(desk: Desk) -> None:
    for _ in range(51):
        await desk.grant(1)
    page = await desk.entries()
    assert (len(page.entries), page.entries[-1].name) == (50, "users/ann/entries/2")


def forged(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "token",
    [
        "garbage",
        "é",
        "A",
        forged(),
        forged("users/ann/entries"),
        forged("users/ann/entries", 3),
        forged("users/ann/entries", "3", "4"),
        forged("users/ann/entries", "three"),
        forged("users/ann/entries", "-3"),
        forged("users/ann/entries", "٣"),
        forged("users/ann/entries", "9" * 30),
        forged("users/ann/entries", "\ud800"),
        pages.token("users/bob/entries", ["3"]),
        pages.token("users/ann/conversations", ["3"]),
    ],
)
async def test_a_token_of_another_query_or_of_none_is_refused(desk: Desk, token: str) -> None:
    assert await refused(desk.entries(page_token=token)) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT")


@pytest.mark.parametrize("page_size", [-1, 101, 2**31 - 1])
async def test_a_page_beyond_its_limits_is_refused(desk: Desk, page_size: int) -> None:
    assert await refused(desk.entries(page_size)) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT")
