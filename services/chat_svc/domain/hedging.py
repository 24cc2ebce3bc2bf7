"""When a model that is slow with its first word gets company, and how often anyone does."""

from __future__ import annotations

from dataclasses import dataclass

# However fast a model usually is, it has so long for its first word before another one is asked as well.
AFTER_SECONDS_MIN = 0.1
# What quiet times leave over: so many hedges may follow one another at once, whatever share of answers that is then.
SAVED_MAX = 10
# Of a hedge, what one answer earns is told in percent.
PERCENT = 100


@dataclass(frozen=True)
class Hedging:
    """A model has `after_times` its usual time for its first word; of all answers `budget_percent` may be hedged."""

    after_times: float
    budget_percent: int


class Hedges:
    """One process's: every answer earns its share of a hedge, and a hedge costs a whole one. Without a rule, none is.

    Of the answers since the process began, at most the share that the rule says has been hedged; of any that follow one
    another, at most that share and SAVED_MAX.
    """

    def __init__(self, rule: Hedging | None = None) -> None:
        self.rule = rule
        self._earned = 0

    def answer(self) -> None:
        """An answer begins."""
        if self.rule is not None:
            self._earned = min(self._earned + self.rule.budget_percent, SAVED_MAX * PERCENT)

    def after_seconds(self, usual_seconds: float, limit_seconds: float) -> float | None:
        """Seconds of silence until another model is asked; None where the limit on silence comes first, or none is."""
        if self.rule is None:
            return None
        after = max(self.rule.after_times * usual_seconds, AFTER_SECONDS_MIN)
        return after if after < limit_seconds else None

    def spend(self) -> bool:
        """Whether there is a hedge left; it is gone then."""
        if self.rule is None or self._earned < PERCENT:
            return False
        self._earned -= PERCENT
        return True
