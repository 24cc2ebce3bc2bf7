from datetime import timedelta

import pytest
from google.protobuf.duration_pb2 import Duration

from scenemesh.billing.v1 import billing_pb2
from services.billing_svc import convert
from services.billing_svc.domain import Allowance, Period, Plan


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
    answer = convert.plans_to_proto((Plan("free", "Free", (), (allowance,), 12_000),))
    assert answer.plans == [
        billing_pb2.Plan(name="plans/free", display_name="Free", allowances=[told], context_tokens=12_000)
    ]


@pytest.mark.parametrize("period", list(Period), ids=str)
def test_every_period_has_its_word_in_the_contract(period: Period) -> None:
    assert billing_pb2.Period.Name(convert.PERIODS[period]) == f"PERIOD_{period.name}"
