"""The bodies of webhooks: JSON objects of a known shape, or refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from runtime.errors import InvalidArgument

# No id and no name that a provider gives is longer; what is could not be indexed.
NAME_CHARS_MAX = 255
LINK_CHARS_MAX = 2000
# Moments beyond these are nobody's, and leave no room to count from.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DISTANT = datetime(9000, 1, 1, tzinfo=UTC)
MILLISECONDS_MAX = (DISTANT - EPOCH) // timedelta(milliseconds=1)


class BadBody(InvalidArgument):
    """A body that is none of the provider's.

    Its words are not repeated, and neither is what a parser says of them: they may be anybody's data.
    """

    def __init__(self, message: str = "The body is no event of this provider's.") -> None:
        super().__init__(message, reason="BAD_BODY")


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object that a body is; InvalidArgument (BAD_BODY) for everything else."""
    try:
        value = json.loads(body.decode())
    except (ValueError, RecursionError):
        raise BadBody("The body is not JSON in UTF-8.") from None
    if not isinstance(value, dict):
        raise BadBody("The body is no JSON object.")
    return value


class Said(BaseModel):
    """Part of a body. What a provider adds to it one day is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


Model = TypeVar("Model", bound=Said)


def read(model: type[Model], value: object) -> Model:
    """A part of a body in its shape; InvalidArgument (BAD_BODY) where it has another."""
    try:
        return model.model_validate(value)
    except (ValidationError, RecursionError):
        raise BadBody from None


def _text(value: str) -> str:
    if not printable(value):
        raise ValueError("has characters that do not print, or too many")
    return value


def printable(text: str) -> bool:
    """Whether Postgres can keep it and a log shows it as it is: nothing invisible, no halves of characters."""
    return 0 < len(text) <= NAME_CHARS_MAX and text.isprintable()


def _page(value: str) -> str:
    if len(value) > LINK_CHARS_MAX or not value.isprintable() or not value.startswith(("https://", "http://")):
        raise ValueError("is no page on the web")
    return value


def _receipt(value: object) -> object:
    """A receipt is nothing to refuse a payment for."""
    try:
        return _page(value) if isinstance(value, str) else ""
    except ValueError:
        return ""


def _number_as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _second(value: object) -> datetime:
    return _moment(value * 1000 if isinstance(value, int) else value)


def _moment(value: object) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < MILLISECONDS_MAX:
        raise ValueError("is no moment")
    return EPOCH + timedelta(milliseconds=value)


def _in_reach(value: datetime) -> datetime:
    aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value
    if not EPOCH <= aware < DISTANT:
        raise ValueError("is no moment of ours")
    return aware.astimezone(UTC)


Name = Annotated[str, AfterValidator(_text)]
# An id that some providers write as a number.
Id = Annotated[Name, BeforeValidator(_number_as_text)]
# In small letters; three of them, or more for coins.
Currency = Annotated[str, Field(pattern=r"^[A-Za-z]{3,8}$"), AfterValidator(str.lower)]
# An amount of money in whole units of its currency.
Amount = Annotated[Decimal, Field(gt=-(10**12), lt=10**12, decimal_places=18)]
# An amount of money in the smallest units.
Minor = Annotated[int, Field(ge=0, lt=10**14)]
# Milliseconds since 1970.
Milliseconds = Annotated[datetime, BeforeValidator(_moment)]
# Seconds since then.
Seconds = Annotated[datetime, BeforeValidator(_second)]
# A moment in ISO 8601.
Moment = Annotated[datetime, AfterValidator(_in_reach)]
# A page on the web.
Link = Annotated[str, AfterValidator(_page)]
# A page on the web, or "".
Receipt = Annotated[str, BeforeValidator(_receipt)]
