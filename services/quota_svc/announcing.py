"""What the other services are told of a change, as events on their way out."""

from collections.abc import Callable, Iterator
from datetime import datetime
from uuid import UUID

from google.protobuf.message import Message as Proto

from runtime.events.envelope import envelope
from scenemesh.events.v1 import quota_pb2
from services.quota_svc.domain.account import Account
from services.quota_svc.domain.changes import Changes
from services.quota_svc.domain.event import Depleted, Event, Low, Reset, Updated
from services.quota_svc.store import Message

TOPIC = "quota"


class Announcing:
    """`clock` gives the present, `new_id` an event's id."""

    def __init__(self, clock: Callable[[], datetime], new_id: Callable[[], UUID]) -> None:
        self._clock = clock
        self._new_id = new_id

    def messages(self, account: Account, changes: Changes, cause: str) -> Iterator[Message]:
        """One message an event; `cause` is the id of the request that made them happen."""
        subject = f"users/{account.user}"
        for event in changes.events:
            kind, data = _data(subject, event)
            sealed = envelope(f"{TOPIC}.{kind}", subject, data, self._clock(), self._new_id(), cause)
            yield Message(TOPIC, sealed.SerializeToString())


def _data(subject: str, event: Event) -> tuple[str, Proto]:
    match event:
        case Updated(meter, remaining, unlimited, number):
            entry = f"{subject}/entries/{number}" if number else ""
            updated = quota_pb2.QuotaUpdated(meter=meter, remaining=remaining, unlimited=unlimited, entry=entry)
            return "updated", updated
        case Low(meter, percent, remaining, reset):
            low = quota_pb2.QuotaLow(meter=meter, used_percent=percent, remaining=remaining, reset_time=reset)
            return "low", low
        case Depleted(meter, reset):
            return "depleted", quota_pb2.QuotaDepleted(meter=meter, reset_time=reset)
        case Reset(meter, limit):
            return "reset", quota_pb2.QuotaReset(meter=meter, limit=limit or 0, unlimited=limit is None)
