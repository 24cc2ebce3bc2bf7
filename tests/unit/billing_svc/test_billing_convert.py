from datetime import timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from google.type.money_pb2 import Money

from runtime.errors import InvalidArgument
from scenemesh.billing.v1 import billing_pb2
from services.billing_svc.convert import invoices, plans, words
from services.billing_svc.convert.money import money
from services.billing_svc.domain.agreement import State
from services.billing_svc.domain.plan import Allowance, Catalogue, Interval, Period, Plan, Provider


@pytest.mark.parametrize(
    ("allowance", "told"),
    [
        (
            Allowance("chat", None, Period.DAY),
            billing_pb2.Allowance(meter="chat", unlimited=True, period=billing_pb2.PERIOD_DAY),
        ),
        (
            Allowance("story", 10, Period.MONTH, rollover=4),
            billing_pb2.Allowance(meter="story", amount=10, period=billing_pb2.PERIOD_MONTH, rollover=4),
        ),
        (
            Allowance("chat", 5, Period.ROLLING, timedelta(hours=3), shadow=True),
            billing_pb2.Allowance(
                meter="chat",
                amount=5,
                period=billing_pb2.PERIOD_ROLLING,
                window=Duration(seconds=10_800),
                shadow=True,
            ),
        ),
    ],
    ids=["unlimited", "rollover", "rolling"],
)
def test_an_allowance_is_told_whole(allowance: Allowance, told: billing_pb2.Allowance) -> None:
    answer = plans.offer_to_proto(Catalogue([Plan("free", "Free", (), (allowance,), 12_000)]), None)
    assert answer.plans == [
        billing_pb2.Plan(name="plans/free", display_name="Free", allowances=[told], context_tokens=12_000)
    ]


@pytest.mark.parametrize("period", list(Period), ids=str)
def test_every_period_has_its_word_in_the_contract(period: Period) -> None:
    assert billing_pb2.Period.Name(words.PERIODS[period]) == f"PERIOD_{period.name}"


@pytest.mark.parametrize("interval", list(Interval), ids=str)
def test_every_interval_has_its_word_in_the_contract(interval: Interval) -> None:
    assert billing_pb2.Interval.Name(words.INTERVALS[interval]) == f"INTERVAL_{interval.name}"


@pytest.mark.parametrize("provider", list(Provider), ids=str)
def test_every_provider_has_its_word_in_the_contract(provider: Provider) -> None:
    assert billing_pb2.Provider.Name(words.PROVIDERS[provider]) == f"PROVIDER_{provider.name}"


@pytest.mark.parametrize("state", list(State), ids=str)
def test_every_state_has_its_word_in_the_contract(state: State) -> None:
    assert billing_pb2.SubscriptionState.Name(words.STATES[state]) == f"SUBSCRIPTION_STATE_{state.name}"


@pytest.mark.parametrize(
    ("minor", "currency", "told"),
    [
        (1499, "usd", Money(currency_code="USD", units=14, nanos=990_000_000)),
        (-250, "EUR", Money(currency_code="EUR", units=-2, nanos=-500_000_000)),
        (-5, "usd", Money(currency_code="USD", nanos=-50_000_000)),
        (0, "usd", Money(currency_code="USD")),
        (1500, "jpy", Money(currency_code="JPY", units=1500)),
    ],
)
def test_an_amount_is_told_in_whole_units_and_what_is_left(minor: int, currency: str, told: Money) -> None:
    assert money(minor, currency) == told


@pytest.mark.parametrize("text", ["", "yesterday", "0001-01-01T00:00:00+14:00"])
def test_a_page_token_with_another_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        invoices.moment(text)
    assert [one.field for one in refusal.value.violations] == ["page_token"]
