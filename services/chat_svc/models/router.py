"""Who is asked, from the models there are and from how each did in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import structlog
from opentelemetry import metrics

from runtime.telemetry import SCOPE
from services.chat_svc.domain.fault import ModelFault, Unreachable
from services.chat_svc.domain.health import Asking, Health, Speed, Standing
from services.chat_svc.domain.listing import Listed, listing
from services.chat_svc.domain.model import Class, Model, Wire
from services.chat_svc.domain.routing import Decision, Wanted, decide
from services.chat_svc.models.roster import Roster
from services.chat_svc.providers import Provider

log = structlog.get_logger()

# The breaker as a number, the worse, the greater.
LEVELS = {Standing.CLOSED: 0, Standing.HALF_OPEN: 1, Standing.OPEN: 2}

# Where a model is reached: what was learnt of one place says nothing of another.
Reach = tuple[Wire, str, str]


class Router:
    """`seconds` is a clock that only goes forward. What is known of a model outlives a change of the list."""

    def __init__(self, roster: Roster, seconds: Callable[[], float], meter: metrics.Meter | None = None) -> None:
        self._roster = roster
        self._seconds = seconds
        self._health: dict[str, tuple[Reach, Health]] = {}
        self._readings = Readings(meter or metrics.get_meter(SCOPE), self._levels)

    @property
    def models(self) -> tuple[Model, ...]:
        return self._roster.models

    def model(self, name: str) -> Model:
        """KeyError where there is no such model."""
        return self._roster.model(name)

    def provider(self, name: str) -> Provider:
        """KeyError where there is no such model."""
        return self._roster.provider(name)

    def health(self, name: str) -> Health:
        """KeyError where there is no such model."""
        model = self._roster.model(name)
        reach = (model.wire, model.base_url, model.provider_model)
        known = self._health.get(name)
        if known is None or known[0] != reach:
            known = self._health[name] = (reach, Health())
        return known[1]

    def decide(self, wanted: Wanted, failed: frozenset[str] = frozenset()) -> Decision:
        """Who is asked now, and who after; `failed` are those that have failed in this answer."""
        return decide(self.models, self._healths(), wanted, self._seconds(), failed)

    def listing(self, classes: frozenset[Class]) -> tuple[Listed, ...]:
        """Every model as somebody sees it who may ask these classes, best standing first."""
        return listing(self.models, self._healths(), classes, self._seconds())

    @asynccontextmanager
    async def asked(self, name: str) -> AsyncIterator[Asked]:
        """One asks a model while the block runs. A ModelFault that leaves it is how the model failed.

        Unreachable where it has left the list since the decision.
        """
        try:
            health = self.health(name)
        except KeyError:
            raise Unreachable("it is on the list no longer") from None
        attempt = Asked(name, health, self._seconds, self._readings)
        with self._roster.used(name):
            try:
                yield attempt
            except ModelFault as fault:
                attempt.failed(fault)
                raise
            finally:
                attempt.left()

    def outrun(self, name: str) -> None:
        """Another model, asked at the same time, was faster than this one."""
        self._readings.outrun(name)

    def _healths(self) -> dict[str, Health]:
        return {model.id: self.health(model.id) for model in self.models}

    def _levels(self) -> Iterable[tuple[str, int]]:
        now = self._seconds()
        return [(name, LEVELS[health.standing(now)]) for name, health in self._healths().items()]


class Asked:
    """One asks a model, and tells how it went."""

    def __init__(self, name: str, health: Health, seconds: Callable[[], float], readings: Readings) -> None:
        self._name = name
        self._health = health
        self._seconds = seconds
        self._readings = readings
        self._asking: Asking = health.asked(seconds())

    def answered(self, speed: Speed | None) -> None:
        """It gave a whole answer; `speed` is None where that measures nothing."""
        self._health.answered(self._asking, speed, self._seconds())
        self._readings.answered(self._name, speed)

    def failed(self, fault: ModelFault) -> None:
        before = self._health.standing(self._seconds())
        self._health.failed(self._asking, fault, self._seconds())
        self._readings.failed(self._name, fault)
        rests_seconds = self._health.rests_for(self._seconds())
        if before is not Standing.OPEN and rests_seconds:
            log.warning("model rests", model=self._name, fault=fault.kind.value, seconds=round(rests_seconds, 1))

    def left(self) -> None:
        """Nobody waits for it any more; what it did until then stands."""
        self._health.left(self._asking)


class Readings:
    """What is measured of models; `levels` gives each one's breaker."""

    def __init__(self, meter: metrics.Meter, levels: Callable[[], Iterable[tuple[str, int]]]) -> None:
        self._answers = meter.create_counter("chat.model.answers")
        self._failures = meter.create_counter("chat.model.failures")
        self._outrun = meter.create_counter("chat.model.outrun")
        self._first_word = meter.create_histogram("chat.model.first_word", unit="s")
        self._speed = meter.create_histogram("chat.model.speed", unit="{token}/s")

        def observed(_: metrics.CallbackOptions) -> Iterable[metrics.Observation]:
            return [metrics.Observation(level, {"model": name}) for name, level in levels()]

        meter.create_observable_gauge(
            "chat.model.breaker", [observed], description="0 where it is asked, 1 on probation, 2 where it rests"
        )

    def answered(self, model: str, speed: Speed | None) -> None:
        labels = {"model": model}
        self._answers.add(1, labels)
        if speed is not None:
            self._first_word.record(speed.first_word_seconds, labels)
            self._speed.record(speed.tokens_per_second, labels)

    def failed(self, model: str, fault: ModelFault) -> None:
        self._failures.add(1, {"model": model, "fault": fault.kind.value})

    def outrun(self, model: str) -> None:
        self._outrun.add(1, {"model": model})
