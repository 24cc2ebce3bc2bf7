"""What is known of a model from how it did: its speed, and whether it is worth asking just now."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from services.chat_svc.domain.fault import ModelFault, NotLetIn, RateLimited

# Of the newest measurement, so much counts; of all before, the rest.
NEWEST_SHARE = 0.2
# What was measured so long ago counts half, so that nobody is passed over for ever for one bad hour.
HALF_LIFE_SECONDS = 300.0

# So many failures in a row, and nobody asks for a while; each time that a probe fails, twice as long.
FAILURES_MAX = 3
REST_SECONDS = 5.0
REST_SECONDS_MAX = 120.0
# What a provider tells is believed up to here.
TOLD_REST_SECONDS_MAX = 3_600.0
NOT_LET_IN_REST_SECONDS = 300.0
RATE_LIMITED_REST_SECONDS = 2.0
DOUBLINGS_MAX = 10

# A probe that nobody reports back from was given up.
PROBE_SECONDS = 60.0


class Standing(Enum):
    """CLOSED: everybody asks. OPEN: it rests, and nobody does. HALF_OPEN: one asks, for all."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True)
class Speed:
    """Seconds to the first word, and output tokens a second after it."""

    first_word_seconds: float
    tokens_per_second: float


# What is assumed of a model that has not answered yet.
EXPECTED = Speed(first_word_seconds=1.0, tokens_per_second=50.0)


@dataclass(frozen=True)
class Asking:
    """One asks a model: since when, as the probe or not."""

    at: float
    probe: bool


class Health:
    """One model's, in this process. Times are seconds of a clock that only goes forward.

    Whoever asks the model says so, and how it went: `answered`, `failed`, or `left` when that was never known. The end
    of what was begun before the model came to rest is counted, and says nothing of how it does since.
    """

    def __init__(self) -> None:
        self.speed: Speed | None = None
        self.answers = 0
        self.failures = 0
        self._failing = 0.0
        self._measured_at = 0.0
        self._ended_at = 0.0
        self._in_a_row = 0
        self._rests = 0
        self._rested_at = 0.0
        self._rests_until: float | None = None
        self._told_until = 0.0
        self._probe: Asking | None = None

    def standing(self, now: float) -> Standing:
        if self._rests_until is None:
            return Standing.CLOSED
        return Standing.OPEN if now < self._rests_until else Standing.HALF_OPEN

    def rests_for(self, now: float) -> float:
        """Seconds for which nobody asks it."""
        return 0.0 if self._rests_until is None else max(0.0, self._rests_until - now)

    def told_for(self, now: float) -> float:
        """Seconds for which it told that nobody is to ask it."""
        return max(0.0, self._told_until - now)

    def admits(self, now: float) -> bool:
        """Whether it may be asked: a model that is being probed may not."""
        match self.standing(now):
            case Standing.CLOSED:
                return True
            case Standing.OPEN:
                return False
            case Standing.HALF_OPEN:
                return not self._is_probed(now)

    def admits_alone(self, now: float) -> bool:
        """Whether it may be asked where nobody else is left: though it rests, by one at a time.

        Not before the time that it told.
        """
        return self._rests_until is None or (now >= self._told_until and not self._is_probed(now))

    def expected(self, now: float) -> Speed:
        """How fast it likely is: as it was measured, the longer ago, the more as any other."""
        return EXPECTED if self.speed is None else _mixed(EXPECTED, self.speed, _freshness(now - self._measured_at))

    def failing(self, now: float) -> float:
        """The share of failures of late, 0 to 1."""
        return self._failing * _freshness(now - self._ended_at)

    def asked(self, now: float) -> Asking:
        """Somebody begins to ask it: where it was resting, or rests, that is the probe."""
        asking = Asking(now, probe=self.standing(now) is not Standing.CLOSED and self.admits_alone(now))
        if asking.probe:
            self._probe = asking
        return asking

    def answered(self, asking: Asking, speed: Speed | None, now: float) -> None:
        """It gave a whole answer; what rested is awake. A stream that has only begun proves nothing."""
        self.left(asking)
        self.answers += 1
        self._ended(0.0, now)
        if speed is not None:
            self.speed = speed if self.speed is None else _mixed(self.expected(now), speed, NEWEST_SHARE)
            self._measured_at = now
        if not self._stale(asking):
            self._in_a_row = self._rests = 0
            self._rests_until = self._probe = None

    def left(self, asking: Asking) -> None:
        """Whoever asked went away before it was known how it does."""
        if self._probe is asking:
            self._probe = None

    def failed(self, asking: Asking, fault: ModelFault, now: float) -> None:
        """It failed. One that tells how long to wait, or lets nobody in, rests at once.

        A rate limit that tells it rests for no longer; others rest after failures in a row whatever they tell.
        """
        self.left(asking)
        if not fault.counts:
            return
        self.failures += 1
        self._ended(1.0, now)
        stale = self._stale(asking)
        if not stale:
            self._in_a_row += 1
        if fault.retry_after_seconds is not None:
            self._rest_as_told(now, min(max(fault.retry_after_seconds, 0.0), TOLD_REST_SECONDS_MAX))
        match fault:
            case NotLetIn():
                self._rest(now, NOT_LET_IN_REST_SECONDS)
            case _ if stale:
                pass
            case RateLimited(retry_after_seconds=None):
                self._rest_longer(now, RATE_LIMITED_REST_SECONDS)
            case RateLimited():
                pass
            case _ if asking.probe or self._in_a_row >= FAILURES_MAX:
                self._rest_longer(now, REST_SECONDS)

    def _is_probed(self, now: float) -> bool:
        return self._probe is not None and now - self._probe.at < PROBE_SECONDS

    def _stale(self, asking: Asking) -> bool:
        """Whether somebody began to ask before the model came to rest."""
        return self._rests_until is not None and not asking.probe and asking.at <= self._rested_at

    def _ended(self, failing: float, now: float) -> None:
        before = self.failing(now)
        self._failing = before + NEWEST_SHARE * (failing - before)
        self._ended_at = now

    def _rest_longer(self, now: float, seconds: float) -> None:
        """Rests twice as long as the last time, from so many seconds on."""
        self._rest(now, min(seconds * 2.0**self._rests, REST_SECONDS_MAX))
        self._rests = min(self._rests + 1, DOUBLINGS_MAX)

    def _rest_as_told(self, now: float, seconds: float) -> None:
        self._told_until = max(self._told_until, now + seconds)
        self._rest(now, seconds)

    def _rest(self, now: float, seconds: float) -> None:
        self._rested_at = now
        self._rests_until = max(self._rests_until or 0.0, now + seconds)


def _freshness(age_seconds: float) -> float:
    return float(0.5 ** (max(age_seconds, 0.0) / HALF_LIFE_SECONDS))


def _mixed(before: Speed, newest: Speed, share: float) -> Speed:
    def mixed(old: float, new: float) -> float:
        return old + share * (new - old)

    return Speed(
        mixed(before.first_word_seconds, newest.first_word_seconds),
        mixed(before.tokens_per_second, newest.tokens_per_second),
    )
