"""What Stripe answers when it does not do what it is asked."""

from collections.abc import Mapping
from typing import Any


class Refusal(Exception):
    """An error in Stripe's words.

    `keeps` says that what was done before stays, as a declined payment does. `began` is False where the request was
    refused before anything was tried: such an answer is not kept under its idempotency key.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        details: Mapping[str, Any] | None = None,
        keeps: bool = False,
        began: bool = True,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.keeps = keeps
        self.began = began
        told = {"type": kind, "code": code, "message": message, "param": param, **(details or {})}
        self.body = {"error": {name: value for name, value in told.items() if value is not None}}


def missing(kind: str, identity: str, param: str | None = None) -> Refusal:
    """404: there is no such object."""
    name = kind.rpartition(".")[2]
    return Refusal(f"No such {name}: '{identity}'", status=404, code="resource_missing", param=param or "id")


def invalid(message: str, param: str, code: str | None = None) -> Refusal:
    """400: a parameter that makes no sense here."""
    return Refusal(message, code=code, param=param, began=False)
