"""The pretend account: its objects, its time, and where it is reached."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from cli.local.stripe.clock import Clock
from cli.local.stripe.store import Object, Store

CURRENCY = "usd"
# No secret: it opens a pretend account on this machine.
KEY = "sk_test_pretend"


@dataclass
class Account:
    """Everything that the modules around work on."""

    store: Store = field(default_factory=Store)
    clock: Clock = field(default_factory=Clock)
    # The base of its pages' addresses, known once it listens.
    url: str = ""
    # The ids of events that nobody has been told of, and what wakes those who tell.
    news: deque[str] = field(default_factory=deque)
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def now(self) -> int:
        return self.clock.now()


def made(account: Account, kind: str, identity: str, **values: object) -> Object:
    """The head that every object has, and its values."""
    return {"id": identity, "object": kind, "created": account.now(), "livemode": False, **values}
