"""Webhooks: signed, at least once, again and again while nobody takes them."""

import asyncio
import hashlib
import hmac
import json
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from random import Random

import aiohttp

from cli.local.stripe.account import Account
from cli.local.stripe.faults import Faults
from cli.local.stripe.store import Object

ANSWER_SECONDS_MAX = 10.0
ATTEMPTS_MAX = 20
BACKOFF_SECONDS, BACKOFF_SECONDS_MAX = 0.25, 30.0
# How long events are collected before their order is lost.
SHUFFLE_SECONDS = 0.1
ATTEMPTS_NOTED_MAX = 1000
FOLDERS = {
    "checkout.session": "checkout/sessions",
    "billing_portal.session": "billing_portal/sessions",
}


@dataclass(frozen=True)
class Attempt:
    """One try to deliver an event: the status that was answered, or what went wrong."""

    event: str
    type: str
    number: int
    time: int
    status: int | None = None
    error: str | None = None


def signature(body: str, secret: str, moment: int) -> str:
    """The `stripe-signature` of a body."""
    digest = hmac.new(secret.encode(), f"{moment}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def thin(event: Object) -> Object:
    """A thin event of an event: it names its object and does not carry it."""
    item = event["data"]["object"]
    created = datetime.fromtimestamp(event["created"], UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    folder = FOLDERS.get(item["object"], f"{item['object']}s")
    return {
        "id": event["id"],
        "object": "v2.core.event",
        "type": f"v1.{event['type']}",
        "created": created,
        "livemode": False,
        "context": None,
        "reason": None,
        "related_object": {"id": item["id"], "type": item["object"], "url": f"/v1/{folder}/{item['id']}"},
        "snapshot_event": event["id"],
    }


class Deliveries:
    """Tells one address of everything that happens."""

    def __init__(
        self, account: Account, url: str | None, secret: str, *, backoff_seconds: float = BACKOFF_SECONDS
    ) -> None:
        self._account = account
        self._url = url
        self._secret = secret
        self._backoff_seconds = backoff_seconds
        self._open = 0
        self.faults = Faults()
        self._random = Random(0)  # noqa: S311 (chance that a test repeats)
        self.attempts: deque[Attempt] = deque(maxlen=ATTEMPTS_NOTED_MAX)

    def set_faults(self, faults: Faults) -> None:
        if faults.seed != self.faults.seed:
            self._random = Random(faults.seed)  # noqa: S311
        self.faults = faults

    @property
    def idle(self) -> bool:
        """Whether everything that happened was delivered, or lost on purpose."""
        return not self._open and not self._account.news

    def told(self) -> list[Object]:
        """The attempts, newest first."""
        return [asdict(one) for one in reversed(self.attempts)]

    async def run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS_MAX)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as tasks:
            while True:
                await self._account.woken.wait()
                if self.faults.shuffle:
                    await asyncio.sleep(SHUFFLE_SECONDS)
                self._account.woken.clear()
                for event in self._taken():
                    await self._begin(session, tasks, event)

    def _taken(self) -> list[Object]:
        """What is to be delivered now, with the faults that are wanted."""
        ids = list(self._account.news)
        self._account.news.clear()
        # What was undone never happened.
        events = [event for one in ids if (event := self._account.store.find("event", one)) is not None]
        if self._url is None:
            return []
        kept = [event for event in events if not self._dropped(event)]
        if self.faults.duplicate:
            kept = [event for event in kept for _ in range(2)]
        if self.faults.shuffle:
            self._random.shuffle(kept)
        self._open += len(kept)
        return kept

    def _dropped(self, event: Object) -> bool:
        if self._random.random() >= self.faults.drop_share:
            return False
        self._forget(event)
        self.attempts.append(Attempt(event["id"], event["type"], 0, self._account.now(), error="lost on purpose"))
        return True

    async def _begin(self, session: aiohttp.ClientSession, tasks: asyncio.TaskGroup, event: Object) -> None:
        """One after the other, as long as all goes well; what is late or fails goes its own way."""
        late = self.faults.delay_ms / 1000
        body = json.dumps(thin(event) if self.faults.thin else event, indent=2)
        if late or not await self._attempt(session, event, body, 1):
            tasks.create_task(self._insist(session, event, body, late))
        else:
            self._done(event)

    async def _insist(self, session: aiohttp.ClientSession, event: Object, body: str, late_seconds: float) -> None:
        wait = late_seconds or self._backoff_seconds
        for number in range(1 if late_seconds else 2, ATTEMPTS_MAX + 1):
            await asyncio.sleep(wait)
            if await self._attempt(session, event, body, number):
                break
            wait = min(BACKOFF_SECONDS_MAX, self._backoff_seconds * 2**number)
        self._done(event)

    def _done(self, event: Object) -> None:
        self._forget(event)
        self._open -= 1

    def _forget(self, event: Object) -> None:
        """It is owed to nobody any more."""
        event["pending_webhooks"] = 0
        self._account.store.touch()

    async def _attempt(self, session: aiohttp.ClientSession, event: Object, body: str, number: int) -> bool:
        # Signed anew each time, and with the world's time: who checks it knows no other.
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (pretend)",
            "Stripe-Signature": signature(body, self._secret, int(self._account.clock.real())),
        }
        status, error = None, None
        try:
            async with session.post(
                str(self._url), data=body.encode(), headers=headers, allow_redirects=False
            ) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError) as failure:
            error = type(failure).__name__
        self.attempts.append(Attempt(event["id"], event["type"], number, self._account.now(), status, error))
        return status is not None and 200 <= status < 300
