"""Ten thousand holds at a time."""

from collections.abc import Sequence
from uuid import uuid4

from runtime.status import error_info
from scenemesh.quota.v1 import quota_pb2
from tests.service.quota_svc.desk import HELD, SETTLED, Desk, amounts, decision, reason, refused

ITEMS_MAX = 10_000


def reserving(
    requests: Sequence[quota_pb2.ReserveRequest], *, all_or_nothing: bool = True
) -> quota_pb2.BatchReserveRequest:
    return quota_pb2.BatchReserveRequest(requests=requests, all_or_nothing=all_or_nothing)


def settling(holds: Sequence[quota_pb2.Hold], *, all_or_nothing: bool = True) -> quota_pb2.BatchSettleRequest:
    requests = [quota_pb2.SettleRequest(name=hold.name, amounts=amounts({"chat": 1})) for hold in holds]
    return quota_pb2.BatchSettleRequest(requests=requests, all_or_nothing=all_or_nothing)


async def test_a_whole_batch_is_reserved_and_settled(desk: Desk) -> None:
    await desk.grant(ITEMS_MAX)
    requests = [desk.reserve_request() for _ in range(ITEMS_MAX)]
    reserved = await desk.chat.BatchReserve(reserving(requests))
    holds = [result.hold for result in reserved.results]
    assert [hold.name.rpartition("/")[2] for hold in holds] == [request.request_id for request in requests]
    assert {hold.state for hold in holds} == {HELD}
    settled = await desk.chat.BatchSettle(settling(holds))
    assert {result.hold.state for result in settled.results} == {SETTLED}
    meter = await desk.meter()
    assert (meter.used, meter.held, meter.remaining) == (5, 0, 5)


async def test_all_or_nothing_takes_nothing_when_one_is_refused(desk: Desk) -> None:
    requests = [desk.reserve_request(2) for _ in range(4)]
    error = await refused(desk.chat.BatchReserve(reserving(requests)))
    assert (error_info(error).reason, error_info(error).metadata["index"]) == ("QUOTA_EXHAUSTED", "2")
    assert decision(error).remaining == 1
    assert (await desk.meter()).held == 0
    assert (await desk.entries()).entries == []


async def test_best_effort_decides_item_by_item_and_can_be_repeated(desk: Desk) -> None:
    requests = [desk.reserve_request(2, user=user) for user in ("ann", "ann", "ann", "bob")]
    answer = await desk.chat.BatchReserve(reserving(requests, all_or_nothing=False))
    assert [result.WhichOneof("result") for result in answer.results] == ["hold", "hold", "error", "hold"]
    failed = answer.results[2].error
    assert (failed.code, failed.reason, failed.decision.remaining) == (8, "QUOTA_EXHAUSTED", 1)
    again = await desk.chat.BatchReserve(reserving(requests, all_or_nothing=False))
    assert [result.hold for result in again.results] == [result.hold for result in answer.results]
    assert (await desk.meter()).held == 4


async def test_a_batch_of_settlements_stops_at_the_first_that_cannot_be(desk: Desk) -> None:
    holds = [await desk.hold(1) for _ in range(3)]
    await desk.release(holds[1])
    error = await refused(desk.chat.BatchSettle(settling(holds)))
    assert (error_info(error).reason, error_info(error).metadata["index"]) == ("HOLD_RESOLVED", "1")
    assert (await desk.meter()).used == 0
    answer = await desk.chat.BatchSettle(settling(holds, all_or_nothing=False))
    assert [result.WhichOneof("result") for result in answer.results] == ["hold", "error", "hold"]
    assert (await desk.meter()).used == 2


async def test_a_batch_has_its_limits(desk: Desk) -> None:
    assert (await reason(desk.chat.BatchReserve(reserving([]))))[0] == "INVALID_ARGUMENT"
    many = [desk.reserve_request()] * (ITEMS_MAX + 1)
    assert (await reason(desk.chat.BatchReserve(reserving(many))))[0] == "INVALID_ARGUMENT"


async def test_the_same_request_twice_in_one_batch_takes_one_hold(desk: Desk) -> None:
    request, other = desk.reserve_request(2), desk.reserve_request(1)
    other.request_id = request.request_id
    answer = await desk.chat.BatchReserve(reserving([request, request, other], all_or_nothing=False))
    assert answer.results[0] == answer.results[1]
    assert (answer.results[2].error.code, answer.results[2].error.reason) == (6, "REQUEST_ID_REUSED")
    assert (await desk.meter()).held == 2
    again = await refused(desk.chat.BatchReserve(reserving([request, other])))
    assert (error_info(again).reason, error_info(again).metadata["index"]) == ("REQUEST_ID_REUSED", "1")


async def test_ten_thousand_items_are_decided_one_by_one_for_many_users(desk: Desk) -> None:
    requests = [desk.reserve_request(1, user=f"user-{number % 1000}") for number in range(ITEMS_MAX)]
    answer = await desk.chat.BatchReserve(reserving(requests, all_or_nothing=False))
    kinds = [result.WhichOneof("result") for result in answer.results]
    # Everybody has five a day.
    assert kinds == ["hold"] * 5000 + ["error"] * 5000
    assert {result.error.reason for result in answer.results[5000:]} == {"QUOTA_EXHAUSTED"}
    holds = [result.hold for result in answer.results[:5000]]
    settled = await desk.chat.BatchSettle(settling(holds, all_or_nothing=False))
    assert {result.hold.state for result in settled.results} == {SETTLED}
    assert (await desk.meter(user="user-999")).used == 5


async def test_a_settled_batch_can_be_settled_again_and_an_unknown_hold_stops_it(desk: Desk) -> None:
    holds = [await desk.hold(1) for _ in range(2)]
    first = await desk.chat.BatchSettle(settling(holds))
    assert await desk.chat.BatchSettle(settling(holds)) == first
    strange = quota_pb2.Hold(name=f"users/nobody/holds/{uuid4()}")
    error = await refused(desk.chat.BatchSettle(settling([*holds, strange])))
    assert (error_info(error).reason, error_info(error).metadata["index"]) == ("HOLD_NOT_FOUND", "2")
    answer = await desk.chat.BatchSettle(settling([strange, *holds], all_or_nothing=False))
    assert (answer.results[0].error.code, answer.results[0].error.reason) == (5, "HOLD_NOT_FOUND")
    assert list(answer.results[1:]) == list(first.results)
