"""A provider whose webhooks are small JSON objects, and whose answers a test sets."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from runtime.errors import InvalidArgument, Unauthenticated
from services.billing_svc.domain.facts import Facts, NotOurs
from services.billing_svc.domain.plan import Provider
from services.billing_svc.payments.provider import Delivery
from tests.service.billing_svc.shop import NOW

HEADERS = {"x-signature": "right"}


class Scripted:
    """`says` are its facts of each subject; who is not there is nobody of ours.

    `before` runs before every answer, with the delivery: a test waits there, or raises. `asked` counts the answers by
    event.
    """

    def __init__(self, provider: Provider = Provider.STRIPE) -> None:
        self.provider = provider
        self.says: dict[str, Facts] = {}
        self.before: Callable[[Delivery], Awaitable[None]] | None = None
        self.asked: Counter[str] = Counter()

    def verified(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Delivery:
        if headers.get("x-signature") != "right":
            raise Unauthenticated("The signature is missing or wrong.", reason="BAD_SIGNATURE")
        try:
            sent = json.loads(body)
            time = datetime.fromisoformat(sent["time"])
            return Delivery(sent["id"], sent["type"], time, body, tuple(sent["subjects"]))
        except (ValueError, LookupError, TypeError) as error:
            raise InvalidArgument("This is no event.", reason="BAD_BODY") from error

    async def facts(self, delivery: Delivery) -> Facts:
        self.asked[delivery.event_id] += 1
        if self.before is not None:
            await self.before(delivery)
        said = [self.says[subject] for subject in delivery.subjects if subject in self.says]
        if not said:
            raise NotOurs("It concerns nobody of ours.")
        agreements = tuple(one for facts in said for one in facts.agreements)
        return Facts(agreements, tuple(one for facts in said for one in facts.payments))


def event(name: str, *subjects: str, **others: Any) -> bytes:
    """The body of a webhook."""
    return json.dumps(
        {"id": name, "type": "something.happened", "time": NOW.isoformat(), "subjects": subjects, **others}
    ).encode()
