"""The parameters of one request, read with Stripe's own strictness."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from cli.local.stripe.refusal import Refusal, invalid

METADATA_KEYS_MAX = 50
METADATA_KEY_CHARS_MAX = 40
METADATA_VALUE_CHARS_MAX = 500
URL_CHARS_MAX = 5000


class Params:
    """One hash of parameters; `name` is where it stands in the request."""

    def __init__(self, values: Mapping[str, Any], name: str = "") -> None:
        self.values = values
        self._name = name

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def path(self, name: str) -> str:
        return f"{self._name}[{name}]" if self._name else name

    def only(self, *names: str) -> Params:
        """Refuses what is not among the names, as Stripe does: a misspelled parameter is never ignored."""
        for name in self.values:
            if name not in names:
                path = self.path(name)
                raise invalid(f"Received unknown parameter: {path}", path, "parameter_unknown")
        return self

    def cleared(self, name: str) -> bool:
        """Whether it is given as nothing, which takes a value away."""
        return self.values.get(name) == ""

    def text(self, name: str) -> str | None:
        """Its text; None when it is absent or cleared."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, str):
            raise invalid(f"Invalid string: {value}", self.path(name))
        return value or None

    def needed(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            path = self.path(name)
            raise invalid(f"Missing required param: {path}.", path, "parameter_missing")
        return value

    def choice(self, name: str, *options: str) -> str | None:
        value = self.text(name)
        if value is not None and value not in options:
            raise invalid(f"Invalid {self.path(name)}: must be one of {', '.join(options)}", self.path(name))
        return value

    def whole(self, name: str, least: int = 0, most: int = 2**53) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        if not (value.removeprefix("-").isascii() and value.removeprefix("-").isdecimal()):
            raise invalid(f"Invalid integer: {value}", self.path(name), "parameter_invalid_integer")
        if not least <= int(value) <= most:
            raise invalid(f"This value must be between {least} and {most}.", self.path(name))
        return int(value)

    def flag(self, name: str) -> bool | None:
        value = self.choice(name, "true", "false")
        return None if value is None else value == "true"

    def url(self, name: str) -> str | None:
        value = self.text(name)
        if value is None:
            return None
        parts = urlsplit(value) if len(value) <= URL_CHARS_MAX and value.isprintable() and " " not in value else None
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
            raise invalid("Not a valid URL", self.path(name), "url_invalid")
        return value

    def within(self, name: str) -> Params:
        """The hash of a name; empty when it is absent."""
        value = self.values.get(name) or {}
        if not isinstance(value, dict):
            raise invalid("Invalid object", self.path(name))
        return Params(value, self.path(name))

    def each(self, name: str) -> list[Params]:
        """The hashes of a list; none when it is absent."""
        value = self.values.get(name) or []
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise invalid("Invalid array", self.path(name))
        return [Params(one, f"{self.path(name)}[{number}]") for number, one in enumerate(value)]

    def texts(self, name: str) -> list[str]:
        value = self.values.get(name) or []
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise invalid("Invalid array", self.path(name))
        return list(value)

    def metadata(self, before: Mapping[str, str] | None = None) -> dict[str, str]:
        """The metadata after this request: given names are set, cleared ones go."""
        if self.cleared("metadata"):
            return {}
        after = dict(before or {})
        for key, value in self.within("metadata").values.items():
            if not isinstance(value, str) or len(value) > METADATA_VALUE_CHARS_MAX or len(key) > METADATA_KEY_CHARS_MAX:
                raise invalid("Invalid metadata", self.path("metadata"))
            after |= {key: value}
        after = {key: value for key, value in after.items() if value}
        if len(after) > METADATA_KEYS_MAX:
            raise invalid(f"Metadata has more than {METADATA_KEYS_MAX} keys", self.path("metadata"))
        return after

    def one_of(self, *names: str) -> None:
        """Refuses more than one of what excludes each other."""
        given = [name for name in names if self.values.get(name) not in (None, "", "false")]
        if len(given) > 1:
            raise Refusal(f"You may only specify one of these parameters: {', '.join(names)}.", began=False)
