"""The shape of what services on the web answer, as far as it is used."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

PROBLEMS_TOLD_MAX = 3

Number = Annotated[int, Field(gt=0)]
Popularity = Annotated[float, Field(allow_inf_nan=False)]


class Shape(BaseModel):
    """Takes what it does not know; a number that comes as a text is another shape."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


def misshapen(error: ValidationError) -> str:
    """What is not as it should be, for people: `has another shape than expected (title: Field required)`."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    told = [f"{_place(one['loc'])}: {one['msg']}" for one in problems[:PROBLEMS_TOLD_MAX]]
    return f"has another shape than expected ({'; '.join(told)})"


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "all of it"
