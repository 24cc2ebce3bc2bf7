"""What TMDB has: films and series."""

from enum import StrEnum


class Medium(StrEnum):
    """As TMDB's paths call it."""

    MOVIE = "movie"
    TV = "tv"

    @property
    def noun(self) -> str:
        return "films" if self is Medium.MOVIE else "series"

    @property
    def credits(self) -> str:
        """What has everybody who was ever in it, with a billing order."""
        return "credits" if self is Medium.MOVIE else "aggregate_credits"

    def title_id(self, number: int) -> str:
        return f"tmdb-{self.value}-{number}"
