"""Paths of `google.api.http` as OpenAPI has them: `/v1/{name=titles/*}` is `/v1/titles/{title}`."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

_VARIABLE = re.compile(r"\{(?P<field>[^=}]+)(?:=(?P<pattern>[^}]+))?\}")


@dataclass(frozen=True)
class Parameter:
    """One part of a path that a caller fills in; `field` is what it is a part of, `pattern` what it must match."""

    name: str
    field: str
    pattern: str | None


@dataclass(frozen=True)
class Template:
    path: str
    parameters: tuple[Parameter, ...]


def collections(patterns: Iterable[str]) -> dict[str, str]:
    """What one of each collection is called, from resource patterns: `titles/{title}` says titles: title."""
    singulars: dict[str, str] = {}
    for pattern in patterns:
        segments = pattern.split("/")
        for collection, variable in pairwise(segments):
            if variable.startswith("{"):
                singulars[collection] = variable.strip("{}")
    return singulars


def parse(template: str, singulars: Mapping[str, str], patterns: Mapping[str, str]) -> Template:
    """The path and its parameters; `patterns` are the regular expressions of whole fields."""
    parameters: list[Parameter] = []

    def spelled(match: re.Match[str]) -> str:
        field, segments = match["field"], (match["pattern"] or "*").split("/")
        expected = _segment_patterns(patterns.get(field), segments)
        for index, segment in enumerate(segments):
            if segment in ("*", "**"):
                name = singulars.get(segments[index - 1], field) if index else field
                parameters.append(Parameter(name, field, expected[index]))
                segments[index] = f"{{{name}}}"
        return "/".join(segments)

    return Template(_VARIABLE.sub(spelled, template), tuple(parameters))


def _segment_patterns(pattern: str | None, segments: list[str]) -> list[str | None]:
    """The part of a field's regular expression that each segment must match, where it can be taken apart."""
    if pattern is None:
        return [None] * len(segments)
    parts = pattern.removeprefix("^").removesuffix("$").split("/")
    literal = zip(segments, parts, strict=False)
    if len(parts) != len(segments) or any(segment not in ("*", "**", part) for segment, part in literal):
        return [None] * len(segments)
    return [f"^{part}$" for part in parts]
