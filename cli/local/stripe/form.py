"""Stripe's form encoding: nested names in brackets."""

import re
from collections.abc import Iterable
from typing import Any

from cli.local.stripe.refusal import Refusal

PARAMETERS_MAX = 1000
DEPTH_MAX = 8

NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")


def parse(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`items[0][price]=p` as {"items": [{"price": "p"}]}; all values are text."""
    root: dict[str, Any] = {}
    for count, (name, value) in enumerate(pairs):
        if count == PARAMETERS_MAX:
            raise Refusal(f"More than {PARAMETERS_MAX} parameters.", began=False)
        _put(root, _path(name), value)
    return {name: _lists(value, name) for name, value in root.items()}


def _path(name: str) -> list[str]:
    found = NAME.fullmatch(name)
    if found is None:
        raise Refusal(f"Invalid parameter name: {name}", began=False)
    path = [found[1], *re.findall(r"\[([^\[\]]*)\]", found[2])]
    if len(path) > DEPTH_MAX:
        raise Refusal(f"Parameters nested deeper than {DEPTH_MAX}.", began=False)
    return path


def _put(root: dict[str, Any], path: list[str], value: str) -> None:
    at = root
    for step in path[:-1]:
        inner = at.setdefault(step or str(len(at)), {})
        if not isinstance(inner, dict):
            raise Refusal(f"Invalid {path[0]}: both a value and a hash.", param=path[0], began=False)
        at = inner
    at[path[-1] or str(len(at))] = value


def _lists(value: Any, name: str) -> Any:
    """Hashes whose names are all numbers are lists, but for metadata, whose names are free."""
    if not isinstance(value, dict):
        return value
    inner = {key: _lists(one, key) for key, one in value.items()}
    if name != "metadata" and inner and all(key.isdecimal() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner
