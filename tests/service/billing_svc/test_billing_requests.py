"""Requests that change something, sent again and at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.errors import Aborted, AlreadyExists, FailedPrecondition, MeshError
from runtime.postgres import Pool
from scenemesh.billing.v1 import billing_pb2
from services.billing_svc.repeating import Repeating, asked
from services.billing_svc.store.requests import KEPT, LEASE, Asked, Begun, Requests
from tests.service.billing_svc.shop import NOW, Clock

ONE, OTHER = b"one", b"other"
Answer = billing_pb2.PortalSession


@pytest.fixture
def requests(connections: Pool) -> Requests:
    return Requests(connections)


@pytest.fixture
def repeating(requests: Requests, clock: Clock) -> Repeating:
    return Repeating(requests, clock)


def request(name: str = "users/me/subscription", number: int = 0) -> Asked:
    wanted = billing_pb2.CancelSubscriptionRequest(name=name, request_id=str(UUID(int=number)))
    return asked("ann", wanted)


async def test_the_same_request_gets_the_same_answer(requests: Requests) -> None:
    one = Asked("ann", uuid4(), ONE)
    assert await requests.begin(one, NOW) == Begun()
    await requests.finish(one, b"answer")
    assert await requests.begin(one, NOW) == Begun(b"answer")


async def test_another_request_of_the_same_id_is_refused_whether_or_not_the_first_ended_well(
    requests: Requests,
) -> None:
    one = Asked("ann", uuid4(), ONE)
    await requests.begin(one, NOW)
    for _ in range(2):
        with pytest.raises(AlreadyExists) as refusal:
            await requests.begin(Asked("ann", one.id, OTHER), NOW)
        assert refusal.value.reason == "REQUEST_ID_REUSED"
        await requests.leave(one, NOW)


async def test_another_user_may_come_with_the_same_id(requests: Requests) -> None:
    one = Asked("ann", uuid4(), ONE)
    await requests.begin(one, NOW)
    assert await requests.begin(Asked("bob", one.id, OTHER), NOW) == Begun()


async def test_a_request_at_work_is_waited_for_until_its_lease_ends(requests: Requests) -> None:
    one = Asked("ann", uuid4(), ONE)
    await requests.begin(one, NOW)
    with pytest.raises(Aborted) as refusal:
        await requests.begin(one, NOW + LEASE - timedelta(seconds=1))
    assert refusal.value.reason == "REQUEST_RUNNING"
    assert await requests.begin(one, NOW + LEASE) == Begun(again=True)


async def test_a_request_that_failed_begins_again_at_once(requests: Requests) -> None:
    one = Asked("ann", uuid4(), ONE)
    await requests.begin(one, NOW)
    await requests.leave(one, NOW)
    assert await requests.begin(one, NOW) == Begun(again=True)


async def test_an_answer_stays_and_is_forgotten_when_no_retry_can_come(requests: Requests, connections: Pool) -> None:
    one = Asked("ann", uuid4(), ONE)
    await requests.begin(one, NOW)
    await requests.finish(one, b"answer")
    await requests.leave(one, NOW)
    assert await requests.begin(one, NOW + KEPT) == Begun(b"answer")
    await requests.begin(Asked("bob", uuid4(), ONE), NOW + KEPT + LEASE + timedelta(seconds=1))
    assert [row["user_id"] for row in await connections.fetch("SELECT user_id FROM requests")] == ["bob"]


async def test_what_differs_in_name_or_content_is_another_request() -> None:
    resume = asked(
        "ann", billing_pb2.ResumeSubscriptionRequest(name="users/me/subscription", request_id=str(UUID(int=0)))
    )
    digests = {request().digest, request("users/ann/subscription").digest, resume.digest}
    assert (len(digests), request() == request()) == (3, True)


async def test_a_failed_run_says_why_and_the_next_one_knows_of_it(repeating: Repeating) -> None:
    ran: list[bool] = []

    async def run(again: bool) -> Answer:
        ran.append(again)
        if not again:
            raise FailedPrecondition("No.", reason="PAYMENT_DECLINED")
        return Answer(url="done")

    with pytest.raises(FailedPrecondition):
        await repeating.once(request(), Answer, run)
    for _ in range(2):
        assert await repeating.once(request(), Answer, run) == Answer(url="done")
    assert ran == [False, True]


async def test_a_run_that_is_cancelled_leaves_the_request_to_the_next(repeating: Repeating) -> None:
    running = asyncio.Event()

    async def hang(again: bool) -> Answer:
        running.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def run(again: bool) -> Answer:
        return Answer(url="done")

    task = asyncio.create_task(repeating.once(request(), Answer, hang))
    await running.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await repeating.once(request(), Answer, run) == Answer(url="done")


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=2, max_size=30))
async def test_however_often_and_at_once_a_request_is_sent_it_runs_once(
    repeating: Repeating, connections: Pool, sent: list[tuple[int, bool]]
) -> None:
    await connections.execute("TRUNCATE requests")
    ran: list[tuple[int, str]] = []

    async def send(number: int, name: str) -> str:
        async def run(again: bool) -> Answer:
            ran.append((number, name))
            await asyncio.sleep(0)
            return Answer(url=f"{number} {name}")

        try:
            return (await repeating.once(request(name, number), Answer, run)).url
        except MeshError as error:
            return error.reason

    names = {True: "users/me/subscription", False: "users/ann/subscription"}
    answers = await asyncio.gather(*(send(number, names[which]) for number, which in sent))
    assert sorted(number for number, _ in ran) == sorted({number for number, _ in sent})
    first = dict(ran)
    for (number, which), answer in zip(sent, answers, strict=True):
        expected = {f"{number} {first[number]}", "REQUEST_RUNNING"} if names[which] == first[number] else set()
        assert answer in (expected or {"REQUEST_ID_REUSED"})
    for number, name in ran:
        assert await send(number, name) == f"{number} {name}"
