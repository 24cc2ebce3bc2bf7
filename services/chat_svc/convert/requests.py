"""Ids of what requests make that may come twice."""

from uuid import UUID, uuid5

REQUESTS = UUID("6a0f5f3e-2d5c-4a8e-9a8b-6a3f0c1d7e42")


def made_id(user: str, request_id: str, random: UUID) -> UUID:
    """The same for a retry with the same `request_id`, `random` without one."""
    return uuid5(REQUESTS, f"{user}/{request_id.lower()}") if request_id else random
