"""Who calls, and under which request id. Set by the identity interceptor, read by anyone."""

from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum

from runtime.errors import NotFound, Unauthenticated


class Role(Enum):
    """What a token says of its person."""

    USER = "user"
    OPERATOR = "operator"


@dataclass(frozen=True)
class Caller:
    """Who calls: `peer` is the calling process's name in the mesh, `user` the person it speaks for, if any."""

    peer: str
    user: str | None = None
    role: Role = Role.USER

    @property
    def is_operator(self) -> bool:
        return self.user is not None and self.role is Role.OPERATOR

    @property
    def is_sibling(self) -> bool:
        """Whether a service calls for itself and not for a person."""
        return self.user is None and self.peer != EDGE

    def person(self) -> str:
        """The id of the person who calls."""
        if self.user is None:
            raise Unauthenticated("Sign in first: this needs a token with a subject.", reason="NO_SUBJECT")
        return self.user

    def owner(self, user: str, *, reason: str, operators: bool = False) -> str:
        """The user that `users/{user}` means to this caller: "me" is the caller; a sibling may name anyone.

        So may an operator, where `operators` says so. NOT_FOUND with `reason` for another person's, so that nobody
        learns who exists.
        """
        if self.is_sibling:
            return user
        person = self.person()
        if user in ("me", person):
            return person
        if operators and self.is_operator:
            return user
        raise NotFound("There is no such resource among yours.", reason=reason)


EDGE = "edge"

CALLER: ContextVar[Caller] = ContextVar("caller")
REQUEST_ID: ContextVar[str] = ContextVar("request_id")
DEADLINE: ContextVar[float] = ContextVar("deadline")


def caller() -> Caller:
    """Who calls. LookupError outside an RPC."""
    return CALLER.get()


def request_id() -> str:
    """The id that follows a request through every process; empty outside an RPC."""
    return REQUEST_ID.get("")
