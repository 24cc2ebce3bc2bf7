from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from runtime import pages
from runtime.errors import InvalidArgument
from scenemesh.billing.v1 import billing_pb2, webhook_pb2
from services.billing_svc.convert import deliveries as convert
from services.billing_svc.convert.words import PROVIDERS_FROM
from services.billing_svc.domain.delivery import DeliveryState, InboxEntry
from services.billing_svc.domain.plan import Provider

NOW = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
ID = UUID(int=7, version=4)
ENTRY = InboxEntry(
    ID, Provider.CRYPTOMUS, "p_1", "paid", DeliveryState.DEAD, "KeyError", 8, NOW, None, NOW + timedelta(hours=7)
)
Request = webhook_pb2.ListWebhookDeliveriesRequest


def test_a_delivery_is_told_with_all_that_is_known_of_it() -> None:
    expected = webhook_pb2.WebhookDelivery(
        name=f"webhookDeliveries/{ID}",
        provider=billing_pb2.PROVIDER_CRYPTOMUS,
        event_id="p_1",
        event_type="paid",
        state=webhook_pb2.DELIVERY_STATE_DEAD,
        detail="KeyError",
        attempts=8,
        receive_time=NOW,
        end_time=NOW + timedelta(hours=7),
    )
    assert convert.delivery_to_proto(ENTRY) == expected


@pytest.mark.parametrize("state", DeliveryState)
@pytest.mark.parametrize("provider", Provider)
def test_every_state_and_provider_has_a_word_in_the_contract(state: DeliveryState, provider: Provider) -> None:
    told = convert.delivery_to_proto(replace(ENTRY, state=state, provider=provider))
    assert (convert.STATES_FROM[told.state], PROVIDERS_FROM[told.provider]) == (state, provider)


def test_a_page_leads_to_the_one_behind_it() -> None:
    request = Request(page_size=1)
    page = convert.page_to_proto(request, [ENTRY, ENTRY])
    assert len(page.deliveries) == 1
    assert convert.before_from_proto(Request(page_size=5, page_token=page.next_page_token)) == (NOW, ID)
    assert convert.page_to_proto(request, [ENTRY]).next_page_token == ""


@pytest.mark.parametrize(
    "position", [["never", str(ID)], [NOW.isoformat(), "7"], ["0001-01-01T00:00:00+14:00", str(ID)]]
)
def test_a_token_that_names_no_delivery_is_refused(position: list[str]) -> None:
    request = Request()
    request.page_token = pages.token(convert.scope(request), position)
    with pytest.raises(InvalidArgument):
        convert.before_from_proto(request)
