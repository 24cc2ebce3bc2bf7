"""Our users, as providers name them."""

from __future__ import annotations

from runtime.interceptors.identity import USER_PATTERN


def user_named(name: str | None) -> str | None:
    """The user of ours who may be called so; None for a name that no user can have."""
    return name if name is not None and USER_PATTERN.fullmatch(name) else None
