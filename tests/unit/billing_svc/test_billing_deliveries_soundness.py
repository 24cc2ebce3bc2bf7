from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import InvalidArgument
from services.billing_svc.payments.provider import Delivery
from services.billing_svc.webhooks.soundness import check

SOUND = Delivery("evt_1", "invoice.paid", datetime(2026, 11, 21, tzinfo=UTC), b"\0", ("ann",))


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"event_type": ""},
        {"subjects": ()},
        {"event_id": "ü" * 500},
        {"event_id": "\U0010ffff"},
        {"event_time": datetime(2026, 11, 21, tzinfo=timezone(timedelta(hours=14)))},
    ],
)
def test_what_the_database_takes_is_sound(change: dict[str, Any]) -> None:
    check(replace(SOUND, **change))


@pytest.mark.parametrize(
    "change",
    [
        {"event_id": ""},
        {"event_id": "x" * 501},
        {"event_id": "\0"},
        {"event_type": "a\udfffb"},
        {"subjects": ("ann", "\ud800")},
        {"subjects": ("ann",) * 101},
        {"event_time": datetime(2026, 11, 21)},  # noqa: DTZ001
        {"event_time": datetime.max.replace(tzinfo=timezone(timedelta(hours=-14)))},
        {"event_time": datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))},
    ],
)
def test_what_the_database_does_not_take_is_none(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        check(replace(SOUND, **change))
    assert refusal.value.reason == "BAD_BODY"


@given(st.text(st.characters(codec=None)))
def test_a_sound_text_can_be_encoded_and_has_no_nul(text: str) -> None:
    try:
        check(replace(SOUND, event_id=text))
    except InvalidArgument:
        return
    assert text
    assert b"\0" not in text.encode()
