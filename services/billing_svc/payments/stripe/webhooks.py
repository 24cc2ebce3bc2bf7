"""What Stripe sends: signatures, and the little of a body that is believed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from stripe import WebhookSignature

from services.billing_svc.payments.body import DISTANT, EPOCH, BadBody
from services.billing_svc.payments.signature import BadSignature

TOLERANCE_SECONDS = 300

EVENT_ID = re.compile(r"evt_[A-Za-z0-9_]{1,250}")
EVENT_TYPE = re.compile(r"[a-z0-9_.\[\]]{1,200}")
OBJECT_ID = re.compile(r"[A-Za-z0-9_]{1,255}")

# Where an object names another one that is read instead of it.
LINKS = ("customer", "subscription", "released_subscription", "invoice", "payment_intent", "charge")


@dataclass(frozen=True)
class Event:
    """That something happened to an object.

    Only ids are taken from a body: what is so now is read from the API, so that neither the order of arrival nor the
    version of the API that wrote the body matters. `links` are ids of related objects, by their types; `live` is None
    where the body does not say.
    """

    id: str
    type: str
    time: datetime
    object_type: str
    object_id: str
    links: Mapping[str, str]
    live: bool | None


def prove(header: str, body: bytes, secrets: Iterable[str], now: datetime) -> None:
    """BadSignature unless one of the secrets signed the body, within the tolerance before or after now."""
    if not any(_signed(header, body, secret) for secret in secrets):
        raise BadSignature
    # The SDK would accept any time to come, so the clocks are compared here, both ways.
    if abs(int(now.timestamp()) - _signed_at(header)) > TOLERANCE_SECONDS:
        raise BadSignature("The signature is of another time.")


def _signed(header: str, body: bytes, secret: str) -> bool:
    try:
        WebhookSignature.verify_header(body, header, secret, tolerance=None)
    except Exception:
        # Beside its own error the SDK lets others out for what nobody but an attacker sends: UnicodeDecodeError for the
        # body, TypeError for a signature that is not ASCII. Whatever it is, nothing was proved.
        return False
    return True


def _signed_at(header: str) -> int:
    """The time in a header that the SDK has accepted, read as the SDK does."""
    parts = (part.split("=", 2) for part in header.split(","))
    return next(int(part[1]) for part in parts if part[0] == "t")


def parsed(body: bytes) -> Event:
    """The event in a body. BadBody when there is none."""
    try:
        # Deep nesting is a RecursionError, digits without end are a ValueError.
        return _event(json.loads(body))
    except (ValueError, TypeError, KeyError, OverflowError, OSError, RecursionError):
        raise BadBody from None


def _event(body: Any) -> Event:
    match body:
        case {"object": "event", "data": {"object": dict() as about}}:
            kind, name = about.get("object"), about.get("id")
        case {"object": "v2.core.event", "related_object": dict() as about}:
            kind, name = about.get("type"), about.get("id")
        case {"object": "v2.core.event"} if body.get("related_object") is None:
            about, kind, name = {}, None, None
        case _:
            raise ValueError
    live = body.get("livemode")
    return Event(
        id=_matching(EVENT_ID, body["id"]),
        type=_matching(EVENT_TYPE, body["type"]).removeprefix("v1."),
        time=_time(body["created"]),
        # A few objects have no id, such as a balance or an invoice to come: they concern nobody here.
        object_type=kind if isinstance(kind, str) else "",
        object_id=name if isinstance(name, str) and OBJECT_ID.fullmatch(name) else "",
        links={link: name for link in LINKS if (name := _linked(about.get(link)))},
        live=live if isinstance(live, bool) else None,
    )


def _matching(pattern: re.Pattern[str], value: object) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError
    return value


def _time(value: object) -> datetime:
    """Seconds since 1970 in snapshots, RFC 3339 in thin events."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError
    moment = datetime.fromisoformat(value) if isinstance(value, str) else EPOCH + timedelta(seconds=value)
    # A moment without a zone cannot be compared: a TypeError, too.
    if not EPOCH <= moment < DISTANT:
        raise ValueError
    return moment.astimezone(UTC)


def _linked(value: object) -> str | None:
    """The id in a link, which is an id or the object itself."""
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) and OBJECT_ID.fullmatch(value) else None
