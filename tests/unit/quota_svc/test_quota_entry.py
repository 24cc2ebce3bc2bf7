from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from runtime.errors import AlreadyExists
from services.quota_svc.domain.entry import Entry, EntryKind, GrantOrder, Movement

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ORDER = GrantOrder("ann", UUID(int=1), "chat", 20)


def test_a_grant_moves_credit_to_the_user() -> None:
    assert ORDER.movement(NOW) == Movement("ann", "chat", 20, EntryKind.GRANT, NOW, NOW, request_id=UUID(int=1))


def test_the_same_grant_is_answered_by_its_entry() -> None:
    entry = Entry(3, ORDER.movement(NOW))
    assert replace(ORDER).answered_by(entry) == entry


@pytest.mark.parametrize("other", [replace(ORDER, meter="image"), replace(ORDER, amount=21)])
def test_another_grant_of_the_same_request_id_is_refused(other: GrantOrder) -> None:
    with pytest.raises(AlreadyExists) as refusal:
        other.answered_by(Entry(3, ORDER.movement(NOW)))
    assert refusal.value.reason == "REQUEST_ID_REUSED"
