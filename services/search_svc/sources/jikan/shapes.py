"""What Jikan answers, as far as it is used (API version 4)."""

from typing import Any

from pydantic import Field

from services.search_svc.sources.shape import Number, Shape


class Name(Shape):
    type: str
    title: str


class Day(Shape):
    year: int | None = None


class Days(Shape):
    begin: Day = Field(Day(), validation_alias="from")


class Aired(Shape):
    """The first day, as a text and apart."""

    begin: str | None = Field(None, validation_alias="from")
    prop: Days = Days()


class Genre(Shape):
    name: str


class Anime(Shape):
    mal_id: Number
    title: str
    title_english: str | None = None
    title_japanese: str | None = None
    titles: list[Name] = Field(default_factory=list)
    title_synonyms: list[str] = Field(default_factory=list)
    type: str | None = None
    rating: str | None = None
    members: int | None = None
    year: int | None = None
    aired: Aired = Aired()
    synopsis: str | None = None
    genres: list[Genre] = Field(default_factory=list)
    explicit_genres: list[Genre] = Field(default_factory=list)


class Items(Shape):
    total: int


class Pagination(Shape):
    has_next_page: bool
    items: Items


class Page(Shape):
    """Its anime are read one by one."""

    pagination: Pagination
    data: list[Any]


class Person(Shape):
    mal_id: Number
    name: str


class VoiceActor(Shape):
    person: Person
    language: str


class Appearance(Shape):
    """A character in an anime; `role` is Main or Supporting."""

    character: Person
    role: str
    favorites: int = 0
    voice_actors: list[VoiceActor] = Field(default_factory=list)


class Characters(Shape):
    data: list[Appearance]
