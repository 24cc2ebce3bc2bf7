"""What of a delivery can be kept: an event that is proved to be a provider's may still be no sound one."""

import re
from datetime import UTC, datetime

from runtime.errors import InvalidArgument
from services.billing_svc.payments.provider import Delivery

TEXT_CHARACTERS_MAX = 500
SUBJECTS_MAX = 100

SURROGATE = re.compile("[\ud800-\udfff]")

# Events of no time in between are no event of ours.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def check(delivery: Delivery) -> None:
    """InvalidArgument (BAD_BODY) for one that the database would not take."""
    if not delivery.event_id or not all(_is_text(text) for text in (delivery.event_id, delivery.event_type)):
        raise _bad("The event's id or type is missing, too long, or no text.")
    if len(delivery.subjects) > SUBJECTS_MAX or not all(_is_text(text) for text in delivery.subjects):
        raise _bad("The event concerns too many, or somebody whose name is no text.")
    if delivery.event_time.tzinfo is None or not EARLIEST <= delivery.event_time < LATEST:
        raise _bad("The event's time is missing or out of this age.")


def _is_text(text: str) -> bool:
    """Whether Postgres can keep it: no NUL, no half of a surrogate pair."""
    return len(text) <= TEXT_CHARACTERS_MAX and "\0" not in text and not SURROGATE.search(text)


def _bad(message: str) -> InvalidArgument:
    return InvalidArgument(message, reason="BAD_BODY")
