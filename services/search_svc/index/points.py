"""What ranks above what: a hit's score is the sum of these points.

A mistyped letter costs 35 and popularity gives at most 40. So an exact name stays above a mistyped one unless that is
better known by more than 87 of the 100 points of popularity, and above a name that only begins so unless by 75.
"""

from typing import Final

import numpy as np

from services.search_svc.domain.found import Match

# In the files, a match is its place in this list.
MATCHES: Final = tuple(Match)
CODES: Final = {match: code for code, match in enumerate(MATCHES)}

MATCH_POINTS: Final = {
    Match.EXACT_NAME: 100.0,
    Match.EXACT_ALIAS: 97.0,
    Match.NAME_PREFIX: 70.0,
    Match.ALIAS_PREFIX: 67.0,
    Match.LATER_WORD_OF_NAME: 58.0,
    Match.LATER_WORD_OF_ALIAS: 55.0,
    Match.WORDS: 46.0,
    Match.WITHOUT_SPACES: 64.0,
    Match.ACTOR: 40.0,
}
BY_CODE: Final = np.array([MATCH_POINTS[match] for match in MATCHES], dtype=np.float32)

# What a beginning becomes when nothing follows it.
EXACT: Final = np.array(
    [
        CODES[{Match.NAME_PREFIX: Match.EXACT_NAME, Match.ALIAS_PREFIX: Match.EXACT_ALIAS}.get(match, match)]
        for match in MATCHES
    ],
    dtype=np.uint8,
)

# What it becomes when other words stand before it.
LATER: Final = np.array(
    [
        CODES[
            {
                Match.NAME_PREFIX: Match.LATER_WORD_OF_NAME,
                Match.ALIAS_PREFIX: Match.LATER_WORD_OF_ALIAS,
            }.get(match, match)
        ]
        for match in MATCHES
    ],
    dtype=np.uint8,
)

TYPO_POINTS: Final = -35.0
# A word of the query that the entry does not have; one that only its title or its actor has.
MISSING_POINTS: Final = -40.0
ELSEWHERE_POINTS: Final = -6.0
POPULARITY_POINTS: Final = 0.4  # for each of 100
