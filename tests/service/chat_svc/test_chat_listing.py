from __future__ import annotations

from dataclasses import replace
from typing import Any

import grpc
import pytest

from runtime.errors import Unavailable
from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc.domain.model import Class, Model
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.replica import Person, Surroundings, replica
from tests.service.chat_svc.siblings import FakeQuota


class Plans(FakeQuota):
    """Says who has premium turns."""

    premium = frozenset({"paul"})

    async def CheckAdmission(
        self, request: quota_pb2.CheckAdmissionRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> quota_pb2.Decision:
        if self.away:
            raise Unavailable("Down.", reason="DATABASE_UNAVAILABLE")
        assert (request.meter, request.amount) == ("chat_premium", 1)
        admitted = request.parent.removeprefix("users/") in self.premium
        outcome = quota_pb2.OUTCOME_ADMITTED if admitted else quota_pb2.OUTCOME_REFUSED
        return quota_pb2.Decision(meter=request.meter, outcome=outcome)


@pytest.fixture
def quota() -> Plans:
    return Plans()  # type: ignore[abstract]


async def listed(person: Person) -> list[chat_pb2.ModelInfo]:
    return list((await person.stub.ListModels(chat_pb2.ListModelsRequest(), metadata=person.metadata)).models)


async def test_models_are_listed_with_who_may_ask_them(around: Surroundings, claude: Model, gpt: Model) -> None:
    async with replica(around, [replace(claude, model_class=Class.PREMIUM), gpt]) as running:
        alice, paul = running.person("alice"), running.person("paul")
        assert [(one.id, one.entitled) for one in await listed(alice)] == [("gpt", True), ("claude", False)]
        assert [(one.id, one.entitled) for one in await listed(paul)] == [("claude", True), ("gpt", True)]


async def test_a_list_shows_how_a_model_did(around: Surroundings, claude: Model, fake: FakeProvider) -> None:
    async with replica(around, [claude]) as running:
        alice = running.person()
        (before,) = await listed(alice)
        assert before.health == chat_pb2.ModelHealth(breaker=chat_pb2.BREAKER_STATE_CLOSED)
        await alice.turn(await alice.conversation("A talk"))
        (after,) = await listed(alice)
        assert (after.health.answers, after.health.failures) == (1, 0)
        assert after.health.tokens_per_second > 0

        fake.script(*[Behaviour(status=401)] * 3)
        await alice.turn(await alice.conversation())
        (barred,) = await listed(alice)
        assert barred.health.breaker == chat_pb2.BREAKER_STATE_OPEN
        assert barred.health.failures >= 1
        assert 0 < barred.health.rests_seconds <= 300


async def test_without_quota_nobody_can_say_who_may_ask_what(around: Surroundings, claude: Model, quota: Plans) -> None:
    quota.away = True
    async with replica(around, [claude]) as running:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await listed(running.person())
        assert error.value.code() is grpc.StatusCode.UNAVAILABLE
