"""One request of the API: who asks, whether it was asked before, what is answered."""

import hashlib
import json
from collections.abc import Iterable
from time import time
from typing import Any, NamedTuple

from cli.local.stripe.account import KEY, Account
from cli.local.stripe.api.expanding import expand
from cli.local.stripe.api.handlers import Handler
from cli.local.stripe.form import parse
from cli.local.stripe.params import Params
from cli.local.stripe.refusal import Refusal
from cli.local.stripe.store import Object, new_id

# As long as Stripe remembers one at least.
REMEMBERED_SECONDS = 86_400
REMEMBERED_MAX = 5_000
KEY_CHARS_MAX = 255


class Answer(NamedTuple):
    """A status and a body, and whether it was given before."""

    status: int
    body: Object
    replayed: bool = False


class Request(NamedTuple):
    """A call as it came in; `pairs` are its parameters, still in Stripe's form encoding."""

    method: str
    path: str
    identity: str
    pairs: tuple[tuple[str, str], ...]
    authorization: str
    idempotency_key: str | None

    @property
    def fingerprint(self) -> str:
        """The same for the same call with the same parameters."""
        told = json.dumps([self.method, self.path, sorted(self.pairs)])
        return hashlib.sha256(told.encode()).hexdigest()


class Answering:
    """Answers requests. Those of one idempotency key happen once."""

    def __init__(self, account: Account, key: str = KEY) -> None:
        self._account = account
        self._key = key
        self._at_work: set[str] = set()

    def authorize(self, request: Request) -> Answer | None:
        """The refusal of who has no key; None for who has."""
        scheme, _, given = request.authorization.partition(" ")
        if scheme.lower() == "bearer" and given == self._key:
            return None
        text = "Invalid API Key provided: ****" if given else "You did not provide an API key."
        return Answer(401, Refusal(text).body)

    def begin(self, request: Request) -> Answer | None:
        """What was answered to this key before, or why it cannot be answered now; None when it is to be done."""
        key = request.idempotency_key
        if key is None or request.method == "GET":
            return None
        if len(key) > KEY_CHARS_MAX:
            return Answer(400, Refusal("The idempotency key is too long.", kind="idempotency_error").body)
        if key in self._at_work:
            refusal = Refusal(
                f"There is currently another in-progress request using this Idempotent Key: {key}",
                kind="idempotency_error",
                code="idempotency_key_in_use",
            )
            return Answer(409, refusal.body)
        known = self._account.store.find("idempotency", key)
        if known is None or known["until"] < time():
            self._at_work.add(key)
            return None
        if known["fingerprint"] != request.fingerprint:
            refusal = Refusal(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. Try "
                f"using a key other than '{key}' if you meant to execute a different request.",
                kind="idempotency_error",
            )
            return Answer(400, refusal.body)
        return Answer(known["status"], known["body"], replayed=True)

    def execute(self, request: Request, handler: Handler) -> Answer:
        """Does it, and remembers the answer under its key."""
        try:
            with self._account.store.transaction():
                answer, began = self._result(request, handler), True
        except Refusal as refusal:
            answer, began = Answer(refusal.status, refusal.body), refusal.began
        key = request.idempotency_key
        if key is not None and request.method != "GET" and began:
            self._remember(key, request, answer)
        return answer

    def end(self, request: Request) -> None:
        self._at_work.discard(request.idempotency_key or "")

    def _result(self, request: Request, handler: Handler) -> Answer:
        params = Params(parse(request.pairs))
        shown = handler(self._account, request.identity, params)
        return Answer(200, expand(self._account, shown, params.texts("expand")))

    def _remember(self, key: str, request: Request, answer: Answer) -> None:
        store = self._account.store
        store.drop("idempotency", key)
        with store.transaction():
            store.add(
                "idempotency",
                {
                    "id": key,
                    "fingerprint": request.fingerprint,
                    "status": answer.status,
                    "body": answer.body,
                    "until": time() + REMEMBERED_SECONDS,
                },
            )
        store.shorten("idempotency", REMEMBERED_MAX)


def request_id() -> str:
    return new_id("req_", 14)


def pairs_of(items: Iterable[tuple[str, Any]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(value)) for name, value in items)
