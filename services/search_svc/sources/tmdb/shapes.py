"""What TMDB answers, as far as it is used (API version 3)."""

from pydantic import AliasChoices, Field

from services.search_svc.sources.shape import Number, Popularity, Shape


class Listed(Shape):
    """An entry of a list; `adult` is null in changes for what was deleted."""

    id: Number
    popularity: Popularity = 0.0


class Page(Shape):
    results: list[Listed]
    total_pages: int
    total_results: int


class Genre(Shape):
    id: int


class Role(Shape):
    character: str | None = None
    credit_id: str | None = None


class Member(Role):
    """Somebody in a cast; a series' whole cast has `roles` instead of one of its own."""

    id: Number
    name: str | None = None
    order: int | None = None
    roles: list[Role] = Field(default_factory=list)


class Credits(Shape):
    cast: list[Member]


class AlternativeTitle(Shape):
    title: str | None = None


class AlternativeTitles(Shape):
    titles: list[AlternativeTitle] = Field(default_factory=list, validation_alias=AliasChoices("titles", "results"))


class Details(Shape):
    """A film or a series, with what was asked to be appended."""

    name: str = Field(validation_alias=AliasChoices("title", "name"))
    original_name: str | None = Field(None, validation_alias=AliasChoices("original_title", "original_name"))
    original_language: str | None = None
    released: str | None = Field(None, validation_alias=AliasChoices("release_date", "first_air_date"))
    adult: bool = False
    genres: list[Genre] = Field(default_factory=list)
    overview: str | None = None
    popularity: Popularity
    credits: Credits = Field(validation_alias=AliasChoices("credits", "aggregate_credits"))
    alternative_titles: AlternativeTitles = AlternativeTitles()
