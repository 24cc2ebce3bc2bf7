"""How well known something is, from 1 to 100, made of what sources count."""

from math import log10

from services.search_svc.domain.entries import POPULARITY_MAX, POPULARITY_MIN

# What counts as 100: the most that is usual for the best known titles.
TMDB_TOP = 3000.0
MAL_TOP_THOUSANDS = 4000.0
# How much less known a character is than the one billed before it.
FALL = 0.97


def of_tmdb(popularity: float) -> float:
    """Of TMDB's popularity, which has no upper end."""
    return _logarithmic(popularity, TMDB_TOP)


def of_members(members: int) -> float:
    """Of how many people have an anime on their list at MyAnimeList."""
    return _logarithmic(members / 1000, MAL_TOP_THOUSANDS)


def of_billing(title: float, place: int) -> float:
    """Of a character, by its title's popularity and its place in the cast, 0 for the first."""
    return max(POPULARITY_MIN, title * FALL**place)


def _logarithmic(count: float, top: float) -> float:
    share = log10(1 + max(0.0, count)) / log10(1 + top)
    return min(max(100 * share, POPULARITY_MIN), POPULARITY_MAX)
