"""What Cryptomus' statuses come to."""

import asyncio
import itertools
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import FailedPrecondition
from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.facts import Facts, NotOurs
from services.billing_svc.domain.payment import Line, Payment, PaymentState
from services.billing_svc.domain.plan import Interval, Provider
from services.billing_svc.payments.body import read
from services.billing_svc.payments.cryptomus.event import Event
from services.billing_svc.payments.cryptomus.folding import Told, fold
from tests.unit.billing_svc.stores.archive import CATALOGUE
from tests.unit.billing_svc.stores.coins import HOUR, NOW, PACK, Wallet, status

# A month from the last day of January on.
END = datetime(2026, 2, 28, 12, tzinfo=UTC)
LINE = Line("1", "plans/pro", 999, Interval.MONTH, NOW, END, credits=50)
PAYMENT = Payment(
    Provider.CRYPTOMUS, "57e2ae53", "ada", PaymentState.PAID, 999, "usd", NOW, (LINE,), agreement="57e2ae53"
)
AGREEMENT = Agreement(
    Provider.CRYPTOMUS, "57e2ae53", "ada", "pro", Interval.MONTH, State.CANCELLED, start=NOW, period_end=END
)


async def folded(*statuses: dict[str, Any]) -> Facts:
    wallet = Wallet()
    deliveries = [wallet.arrives(one) for one in statuses]
    return await wallet.cryptomus.facts(deliveries[0])


@pytest.mark.parametrize("word", ["paid", "paid_over"])
async def test_a_plan_is_paid_in_advance_for_one_interval(word: str) -> None:
    assert await folded(status(word)) == Facts((AGREEMENT,), (PAYMENT,))


async def test_a_pack_is_paid_for_and_is_no_agreement() -> None:
    paid = status("paid", amount="4.99", additional_data=PACK)
    line = Line("1", "packs/small", 499, credits=100)
    assert await folded(paid) == Facts(payments=(replace(PAYMENT, cents=499, lines=(line,), agreement=None),))


async def test_the_interval_counts_from_the_first_word_that_it_is_paid() -> None:
    facts = await folded(status("paid", final=False), status("paid"), status("paid_over"))
    assert facts == Facts((AGREEMENT,), (PAYMENT,))


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("process", {"state": PaymentState.OPEN}),
        ("check", {"state": PaymentState.OPEN}),
        ("confirm_check", {"state": PaymentState.OPEN}),
        ("wrong_amount_waiting", {"state": PaymentState.OPEN}),
        ("locked", {"state": PaymentState.OPEN}),
        ("refund_process", {"state": PaymentState.OPEN}),
        ("refund_fail", {"state": PaymentState.OPEN}),
        ("a_word_of_tomorrow", {"state": PaymentState.OPEN}),
        ("fail", {"state": PaymentState.OPEN, "failed": True}),
        ("system_fail", {"state": PaymentState.OPEN, "failed": True}),
        ("wrong_amount", {"state": PaymentState.OPEN, "failed": True}),
        ("cancel", {"state": PaymentState.VOID}),
        ("refund_paid", {"state": PaymentState.VOID}),
    ],
)
async def test_what_is_not_paid_gives_nothing(word: str, expected: dict[str, Any]) -> None:
    assert await folded(status(word)) == Facts(payments=(replace(PAYMENT, **expected),))


@pytest.mark.parametrize("word", ["process", "confirm_check", "cancel", "fail", "wrong_amount", "refund_process"])
async def test_nothing_that_is_told_late_takes_a_payment_back(word: str) -> None:
    assert await folded(status("paid"), status(word)) == Facts((AGREEMENT,), (PAYMENT,))


async def test_money_that_goes_back_ends_what_it_paid_for() -> None:
    later = replace(PAYMENT, time=NOW + HOUR, lines=(replace(LINE, start=NOW + HOUR, end=END + HOUR),), refunded=999)
    ended = replace(AGREEMENT, state=State.EXPIRED)
    assert await folded(status("paid"), status("refund_paid")) == Facts((ended,), (replace(PAYMENT, refunded=999),))
    expected = replace(ended, start=NOW + HOUR, period_end=END + HOUR)
    assert await folded(status("refund_paid"), status("paid")) == Facts((expected,), (later,))


@pytest.mark.parametrize("change", [{"amount": "9.98"}, {"amount": "9.99", "currency": "TRX"}, {"amount": "-9.99"}])
async def test_less_than_the_price_is_for_people_to_look_at(change: dict[str, Any]) -> None:
    with pytest.raises(FailedPrecondition) as refused:
        await folded(status("paid", **change))
    assert refused.value.reason == "AMOUNT_TOO_SMALL"


async def test_two_payments_are_two_agreements() -> None:
    wallet = Wallet()
    first, second = wallet.arrives(status("paid")), wallet.arrives(status("paid", uuid="62f88b36"))
    assert [one.id for one in (await wallet.cryptomus.facts(first)).agreements] == ["57e2ae53"]
    assert [one.id for one in (await wallet.cryptomus.facts(second)).agreements] == ["62f88b36"]


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (status("paid", type="payout"), "Neither a payment"),
        (status("paid", type="wallet"), "Neither a payment"),
        (status("paid", additional_data=None), "not placed here"),
        (status("paid", additional_data="[" * 60_000), "not placed here"),
        (status("paid", additional_data="[]"), "not placed here"),
        (status("paid", additional_data={"user_id": "ada"}), "not placed here"),
        (status("paid", additional_data='{"user_id": "not ours", "article": "plans/pro"}'), "not placed here"),
        (status("paid", additional_data='{"user_id": "ada", "article": "plans/gold"}'), "not on offer"),
    ],
)
async def test_what_is_not_ours_says_why(one: dict[str, Any], why: str) -> None:
    with pytest.raises(NotOurs, match=why):
        await folded(one)


WORDS = ["process", "check", "paid", "paid_over", "fail", "cancel", "wrong_amount", "refund_process", "refund_paid"]
TOLD = [
    Told(read(Event, status(word, final=final)), NOW + number * HOUR)
    for number, (word, final) in enumerate(itertools.product(WORDS, (False, True)))
]


@given(st.data())
def test_any_order_and_any_repetition_folds_to_the_same(data: st.DataObject) -> None:
    told = data.draw(st.lists(st.sampled_from(TOLD), min_size=1))
    assert fold(data.draw(st.permutations([*told, *told])), CATALOGUE) == fold(told, CATALOGUE)


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6))
def test_each_status_that_is_worked_on_at_once_ends_as_all_of_them_say(words: list[str]) -> None:
    async def arrive() -> None:
        wallet = Wallet()
        for word in words:
            last = await wallet.cryptomus.facts(wallet.arrives(status(word)))
        for delivery in wallet.archive.deliveries.values():
            assert await wallet.cryptomus.facts(delivery) == last

    asyncio.run(arrive())
