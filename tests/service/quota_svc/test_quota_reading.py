"""Looking: at a quota now and then, at entries and holds, by whom."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from scenemesh.quota.v1 import quota_pb2
from tests.service.quota_svc.desk import SETTLED, Desk, operator, person, reason


async def test_a_quota_as_of_any_instant_is_what_was_answered_then(desk: Desk) -> None:
    answered = {}

    async def look() -> None:
        answered[desk.clock.now] = await desk.quota()
        desk.clock.forward(hours=1)

    await desk.grant(4, expire_time=desk.clock.now + timedelta(hours=9))
    await look()
    hold = await desk.hold(3, seconds=7200)
    await look()
    await desk.settle(hold, 2)
    await look()
    await desk.set_plan("plans/ten")
    await look()
    await desk.settle(await desk.hold(9), 9)
    await look()
    desk.clock.forward(hours=12)
    await look()
    await desk.set_plan("plans/pro")
    await look()
    desk.clock.forward(days=2)
    await desk.sweeping.sweep()
    assert {moment: await desk.quota(at=moment) for moment in answered} == answered
    assert (await reason(desk.quota(at=desk.clock.now + timedelta(seconds=1))))[0] == "INVALID_ARGUMENT"


async def test_before_there_was_an_account_the_free_plan_counted(desk: Desk) -> None:
    before = desk.clock.now - timedelta(days=3)
    await desk.set_plan("plans/pro")
    assert (await desk.quota(at=before)).plan == "plans/free"


async def test_an_operator_may_look_at_everybody_and_others_at_themselves(desk: Desk) -> None:
    await desk.reserve(user="bob")
    get = quota_pb2.GetQuotaRequest(name="users/bob/quota")
    quota = await desk.edge.GetQuota(get, metadata=operator())
    assert quota == await desk.quota(user="bob")
    entries = quota_pb2.ListEntriesRequest(parent="users/bob")
    assert len((await desk.edge.ListEntries(entries, metadata=operator())).entries) == 1
    assert (await reason(desk.edge.GetQuota(get, metadata=person())))[0] == "NOT_FOUND"
    assert (await reason(desk.edge.ListEntries(entries, metadata=person())))[0] == "NOT_FOUND"
    nobody = quota_pb2.GetQuotaRequest(name="users/nobody/quota")
    assert await reason(desk.edge.GetQuota(nobody, metadata=operator())) == ("NOT_FOUND", "ACCOUNT_NOT_FOUND")


async def test_entries_come_newest_first_in_pages_of_one_query(desk: Desk) -> None:
    for number in range(4):
        await desk.settle(await desk.hold(1), 1)
        desk.clock.forward(minutes=1)
        await desk.grant(1, meter=("credits", "video")[number % 2])
    names, token = [], ""
    while True:
        page = await desk.entries(page_size=2, page_token=token)
        names += [entry.name for entry in page.entries]
        token = page.next_page_token
        if not token:
            break
    assert names == [f"users/ann/entries/{number}" for number in range(9, 0, -1)]
    token = (await desk.entries(page_size=2)).next_page_token
    for query in ({"meter": "chat"}, {"source": quota_pb2.SOURCE_PLAN}, {"user": "bob"}):
        assert (await reason(desk.entries(page_token=token, **query)))[0] == "INVALID_ARGUMENT"
    for garbage in ("x", "W10", token + "x"):
        assert (await reason(desk.entries(page_token=garbage)))[0] == "INVALID_ARGUMENT"


async def test_entries_are_chosen_by_meter_source_and_time(desk: Desk) -> None:
    await desk.settle(await desk.hold(1), 1)
    desk.clock.forward(hours=1)
    later = desk.clock.now
    await desk.grant(1, meter="credits", source=quota_pb2.SOURCE_PROMO)

    async def numbers(**query: Any) -> list[int]:
        return [int(entry.name.rpartition("/")[2]) for entry in (await desk.entries(**query)).entries]

    assert await numbers(meter="chat") == [2, 1]
    assert await numbers(source=quota_pb2.SOURCE_PROMO) == [3]
    assert await numbers(start_time=later) == [3]
    assert await numbers(end_time=later) == [2, 1]
    assert await numbers(meter="video") == []


async def test_holds_are_listed_for_operators_alone(desk: Desk) -> None:
    holds = []
    for _ in range(3):
        holds.append(await desk.hold(1))
        desk.clock.forward(seconds=1)
    settled = await desk.settle(holds[0], 1)
    settled.lines[0].ClearField("remaining_amount")

    async def listed(**query: object) -> quota_pb2.ListHoldsResponse:
        request = quota_pb2.ListHoldsRequest(parent="users/ann", **query)  # type: ignore[arg-type]
        return await desk.edge.ListHolds(request, metadata=operator())

    first = await listed(page_size=2)
    second = await listed(page_size=2, page_token=first.next_page_token)
    assert [*first.holds, *second.holds] == [holds[2], holds[1], settled]
    assert list((await listed(state=SETTLED)).holds) == [settled]
    request = quota_pb2.ListHoldsRequest(parent="users/ann")
    assert (await reason(desk.edge.ListHolds(request, metadata=person())))[0] == "PERMISSION_DENIED"
    nobody = quota_pb2.ListHoldsRequest(parent="users/nobody")
    assert (await reason(desk.edge.ListHolds(nobody, metadata=operator())))[1] == "ACCOUNT_NOT_FOUND"


async def test_admission_is_a_question_and_takes_nothing(desk: Desk) -> None:
    def asked(amount: int, meter: str = "chat") -> quota_pb2.CheckAdmissionRequest:
        return quota_pb2.CheckAdmissionRequest(parent="users/ann", meter=meter, amount=amount)

    assert (await desk.edge.CheckAdmission(asked(5))).outcome == quota_pb2.OUTCOME_ADMITTED
    refused = await desk.edge.CheckAdmission(asked(6))
    assert (refused.outcome, refused.reason) == (quota_pb2.OUTCOME_REFUSED, quota_pb2.REASON_LIMIT_REACHED)
    nothing = await desk.edge.CheckAdmission(asked(1, "video"))
    message = "The Free plan has no videos: its limit is 0. The Odd plan has 10 a month; "
    message += "bought credits pay for more, 50 for each."
    assert (nothing.reason, nothing.message) == (
        quota_pb2.REASON_NOT_IN_PLAN,
        message,
    )
    assert (await desk.meter()).held == 0
    assert (await reason(desk.edge.CheckAdmission(asked(1, "stars"))))[1] == "METER_UNKNOWN"


@pytest.mark.parametrize("peer", ["search", "edge"])
async def test_only_declared_siblings_change_credit(desk: Desk, peer: str) -> None:
    request = desk.reserve_request(1)
    assert (await reason(desk.stub(peer).Reserve(request)))[0] == "PERMISSION_DENIED"
    change = quota_pb2.SetPlanRequest(parent="users/ann", request_id=str(uuid4()), plan="plans/pro")
    assert (await reason(desk.stub(peer).SetPlan(change)))[0] == "PERMISSION_DENIED"
