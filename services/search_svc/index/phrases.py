"""The query as it stands: the beginning of a name, or of a later word and what follows it."""

import numpy as np

from services.search_svc.domain.found import Match
from services.search_svc.index.artifact import Artifact
from services.search_svc.index.candidates import NONE, Candidates
from services.search_svc.index.crowded import STARTS_MAX
from services.search_svc.index.points import CODES, EXACT


class Phrases:
    """Finds labels by what they begin with."""

    def __init__(self, opened: Artifact) -> None:
        arrays = opened.arrays
        self._starts = opened.sorted("label_blob", "start_offset")
        self._label = arrays["start_label"]
        self._match = arrays["start_match"]
        self._crowds = opened.sorted("crowd_blob", "crowd_key")
        self._crowd_first = arrays["crowd_first"]
        self._crowd_label = arrays["crowd_label"]
        self._crowd_match = arrays["crowd_match"]
        self._joined = opened.sorted("joined_blob", "joined_offset")
        self._joined_label = arrays["joined_label"]

    def crowd(self, words: str) -> Candidates | None:
        """The candidates of a crowded beginning, one an entry, best first; None where it is none."""
        number = self._crowds.find(words.encode())
        if number is None:
            return None
        low, high = self._crowd_first[number], self._crowd_first[number + 1]
        return Candidates.typed(self._crowd_label[low:high], self._crowd_match[low:high])

    def beginning(self, words: str) -> Candidates:
        """The candidates of any other beginning, in no order; an entry may come several times."""
        key = words.encode()
        low, high = self._starts.range(key)
        matches = self._match[low:high]
        if low == high:
            return NONE
        exact = self._starts.equal(key, low, high) - low
        if exact:
            matches = np.concatenate([EXACT[matches[:exact]], matches[exact:]])
        return Candidates.typed(self._label[low:high], matches)

    def without_spaces(self, words: str) -> Candidates:
        """Names that begin with the query when the spaces of both are left out."""
        key = words.replace(" ", "").encode()
        low, high = self._joined.range(key)
        high = min(high, low + STARTS_MAX)
        found = self._joined_label[low:high]
        if " " in words and len(key) > 1:
            within, end = self._starts.range(key)
            if within < end:
                found = np.concatenate([found, self._label[within : min(end, within + STARTS_MAX)]])
        if not len(found):
            return NONE
        return Candidates.typed(found, np.full(len(found), CODES[Match.WITHOUT_SPACES], dtype=np.uint8))
