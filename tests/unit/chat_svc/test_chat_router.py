from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from services.chat_svc.domain.fault import Cut, NotLetIn, RateLimited, Unreachable
from services.chat_svc.domain.health import FAILURES_MAX, REST_SECONDS, Speed, Standing
from services.chat_svc.domain.listing import Listed
from services.chat_svc.domain.model import Class, classes
from services.chat_svc.domain.routing import Wanted
from services.chat_svc.models.roster import Roster
from services.chat_svc.models.router import Router
from tests.unit.chat_svc.models import Clock, Openings, model

ONE, TWO = model("one"), model("two")
ANY = Wanted(classes(premium=True), 100)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def openings() -> Openings:
    return Openings()


@pytest.fixture
async def roster(openings: Openings) -> AsyncIterator[Roster]:
    async with Roster([(ONE, "k1"), (TWO, "k2")], openings) as roster:
        yield roster


@pytest.fixture
def reader() -> Iterator[InMemoryMetricReader]:
    reader = InMemoryMetricReader()
    yield reader
    reader.shutdown()


@pytest.fixture
def router(roster: Roster, clock: Clock, reader: InMemoryMetricReader) -> Router:
    return Router(roster, clock, MeterProvider(metric_readers=[reader]).get_meter("test"))


async def fails(router: Router, name: str, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(Cut):
            async with router.asked(name):
                raise Cut("cut")


async def test_a_fault_that_leaves_the_block_is_how_the_model_failed(router: Router, clock: Clock) -> None:
    await fails(router, "one", FAILURES_MAX)
    assert router.decide(ANY).order == ("two",)
    assert router.health("one").failures == FAILURES_MAX
    clock.passes(REST_SECONDS)
    assert router.decide(replace(ANY, asked="one")).order == ("one", "two")


async def test_one_that_answers_the_probe_is_asked_by_all(router: Router, clock: Clock) -> None:
    await fails(router, "one", FAILURES_MAX)
    clock.passes(REST_SECONDS)
    async with router.asked("one") as asked:
        assert router.decide(ANY).order == ("two",)
        asked.answered(Speed(0.1, 100.0))
    assert set(router.decide(ANY).order) == {"one", "two"}


async def test_whoever_leaves_early_says_nothing_and_makes_room(router: Router, clock: Clock) -> None:
    await fails(router, "one", FAILURES_MAX)
    clock.passes(REST_SECONDS)
    async with router.asked("one"):
        assert router.decide(ANY).order == ("two",)
    health = router.health("one")
    assert (health.answers, health.failures, health.standing(clock())) == (0, FAILURES_MAX, Standing.HALF_OPEN)
    assert set(router.decide(ANY).order) == {"one", "two"}


async def test_a_defect_of_ours_is_no_failure_of_the_model(router: Router) -> None:
    with pytest.raises(ZeroDivisionError):
        async with router.asked("one"):
            raise ZeroDivisionError
    assert router.health("one").failures == 0


async def test_what_failed_in_an_answer_is_not_asked_again_in_it(router: Router) -> None:
    assert router.decide(ANY, frozenset({"one"})).order == ("two",)
    assert router.decide(ANY, frozenset({"one", "two"})).order == ()


async def test_what_is_known_of_a_model_outlives_a_change_of_the_list(router: Router, roster: Roster) -> None:
    await fails(router, "one", FAILURES_MAX)
    roster.take([(replace(ONE, context_tokens=64_000), "k1"), (TWO, "k2")])
    assert router.decide(ANY).order == ("two",)
    roster.take([(TWO, "k2")])
    assert router.models == (TWO,)
    roster.take([(ONE, "k1"), (TWO, "k2")])
    assert router.decide(ANY).order == ("two",)


async def test_a_model_that_is_reached_elsewhere_now_begins_anew(router: Router, roster: Roster) -> None:
    await fails(router, "one", FAILURES_MAX)
    roster.take([(replace(ONE, base_url="http://elsewhere/v1"), "k1")])
    assert router.health("one").failures == 0
    assert router.decide(ANY).order == ("one",)


async def test_an_answer_keeps_its_provider_while_the_list_changes(
    router: Router, roster: Roster, openings: Openings
) -> None:
    async with router.asked("one") as asked:
        assert router.provider("one") is openings.given[0]
        roster.take([(TWO, "k2")])
        await roster.close_left()
        assert openings.closed == []
        asked.answered(None)
    await roster.close_left()
    assert openings.closed == ["k1"]


async def test_a_model_that_left_the_list_since_it_was_chosen_cannot_be_reached(router: Router, roster: Roster) -> None:
    roster.take([(TWO, "k2")])
    with pytest.raises(Unreachable):
        async with router.asked("one"):
            pass


async def test_a_list_says_how_each_does(router: Router, roster: Roster, clock: Clock) -> None:
    dear = model("dear", Class.PREMIUM)
    roster.take([(ONE, "k1"), (dear, "k3")])
    with pytest.raises(RateLimited):
        async with router.asked("one"):
            raise RateLimited("slow down", retry_after_seconds=8.0)
    clock.passes(3)
    assert router.listing(classes(premium=False)) == (
        Listed(dear, False, Standing.CLOSED, 0.0, None, 0, 0),
        Listed(ONE, True, Standing.OPEN, 5.0, None, 0, 1),
    )


def readings(reader: InMemoryMetricReader) -> dict[str, list[tuple[dict[str, Any], Any]]]:
    """What was measured: by the metric's name, labels and the value or the sum."""
    data = reader.get_metrics_data()
    assert data is not None
    return {
        metric.name: [
            (dict(point.attributes or {}), getattr(point, "value", None) or getattr(point, "sum", 0))
            for point in metric.data.data_points
        ]
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


async def test_answers_failures_speed_and_breakers_are_measured(router: Router, reader: InMemoryMetricReader) -> None:
    async with router.asked("one") as asked:
        asked.answered(Speed(0.5, 80.0))
    with pytest.raises(NotLetIn):
        async with router.asked("two"):
            raise NotLetIn("HTTP 401")
    router.outrun("two")
    assert readings(reader) == {
        "chat.model.answers": [({"model": "one"}, 1)],
        "chat.model.failures": [({"model": "two", "fault": "not_let_in"}, 1)],
        "chat.model.outrun": [({"model": "two"}, 1)],
        "chat.model.first_word": [({"model": "one"}, 0.5)],
        "chat.model.speed": [({"model": "one"}, 80.0)],
        "chat.model.breaker": [({"model": "one"}, 0), ({"model": "two"}, 2)],
    }
