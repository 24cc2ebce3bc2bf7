"""Paths of `google.api.http` as what a route matches: `/v1/{name=titles/*}` is `/v1/titles/[^/]+`."""

import re

_TOKEN = re.compile(r"\{[^=}]+(?:=(?P<pattern>[^}]+))?\}|(?P<wildcard>\*\*|\*)|(?P<literal>[^{*]+)")
_WILDCARDS = {"*": "[^/]+", "**": ".+"}


def regex(template: str) -> str:
    """A regular expression (RE2) that a whole path, without its query, must match."""
    return "".join(_piece(match) for match in _TOKEN.finditer(template))


def is_literal(template: str) -> bool:
    """Whether only one path matches."""
    return "{" not in template and "*" not in template


def specificity(template: str) -> tuple[int, int, int]:
    """Sorts templates so that of two that match one path the narrower comes first.

    A literal path before any other, a template with a verb (`:watch`) before one whose last wildcard would swallow the
    verb, a longer one before a shorter.
    """
    return (not is_literal(template), ":" not in template.rpartition("}")[2], -len(template))


def _piece(match: re.Match[str]) -> str:
    if (literal := match["literal"]) is not None:
        return re.escape(literal)
    if (wildcard := match["wildcard"]) is not None:
        return _WILDCARDS[wildcard]
    return regex(match["pattern"] or "*")
