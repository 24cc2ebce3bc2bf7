"""Labels that a query may mean, as columns: which label, how it matched, what that costs."""

from typing import NamedTuple, Self, TypeAlias

import numpy as np

from services.search_svc.index.arrays import F32, U8, U32, Bools, Numbers
from services.search_svc.index.points import BY_CODE, TYPO_POINTS

Places: TypeAlias = Numbers | Bools | slice


class Candidates(NamedTuple):
    """`labels` by number; `matches` are codes of `Match`; `missing` are points, 0 or less."""

    labels: U32
    matches: U8
    typos: U8
    missing: F32

    @classmethod
    def typed(cls, labels: U32, matches: U8) -> Self:
        """Labels that have what was typed."""
        nothing = np.zeros(len(labels), dtype=np.uint8)
        return cls(labels, matches, nothing, nothing.astype(np.float32))

    @classmethod
    def joined(cls, several: list["Candidates"]) -> "Candidates":
        some = [one for one in several if len(one.labels)]
        if len(some) > 1:
            return Candidates(*(np.concatenate(columns) for columns in zip(*some, strict=True)))
        return some[0] if some else NONE

    def cut(self, places: Places) -> "Candidates":
        return Candidates(self.labels[places], self.matches[places], self.typos[places], self.missing[places])

    def points(self) -> F32:
        """All points but those for popularity."""
        return BY_CODE[self.matches] + np.float32(TYPO_POINTS) * self.typos + self.missing


NONE = Candidates.typed(np.zeros(0, dtype=np.uint32), np.zeros(0, dtype=np.uint8))
