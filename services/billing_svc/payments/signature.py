"""Values that prove who sent something."""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from runtime.errors import Unauthenticated


class BadSignature(Unauthenticated):
    """What was sent is not proved to be the provider's."""

    def __init__(self, message: str = "The signature is missing or wrong.") -> None:
        super().__init__(message, reason="BAD_SIGNATURE")


def secrets(text: str) -> tuple[str, ...]:
    """Those in a setting: several, separated by commas, while one is replaced."""
    return tuple(secret for part in text.split(",") if (secret := part.strip()))


def proved(given: str, expected: Iterable[str]) -> bool:
    """Whether a value is one of those expected; how long it takes tells nothing about them."""
    offered = _bytes(given)
    # Every comparison is made, whichever is right.
    results = [hmac.compare_digest(offered, _bytes(one)) for one in expected]
    return any(results)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
