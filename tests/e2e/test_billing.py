"""From a refused turn to a paid one, and everything that a plan goes through, with the pretended Stripe behind it."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest

from tests.e2e.buyer import BACK, Buyer, until
from tests.e2e.clients import Json
from tests.e2e.pretend import DECLINED_CARD, Stripe, landing
from tests.e2e.stack import Stack

PRO = {"plan": "plans/pro", "interval": "INTERVAL_MONTH"}
WEEKLY = {"plan": "plans/creator", "interval": "INTERVAL_WEEK"}
COMPLETED = "checkout.session.completed"
WEEK = timedelta(days=7, hours=2)


@pytest.fixture
async def stripe(stack: Stack) -> AsyncIterator[Stripe]:
    """The pretended Stripe, which sends everything twice and out of order."""
    stripe = Stripe(stack)
    await stripe.misbehave(duplicate=True, shuffle=True)
    yield stripe
    await stripe.misbehave()


async def _subscribed(stack: Stack, stripe: Stripe, user: str, choice: Json) -> Buyer:
    """Somebody who has just paid for a plan."""
    buyer = Buyer(stack, user)
    await stripe.pay(await buyer.checkout(plan=choice))
    await until(buyer.allowed, choice["plan"].removeprefix("plans/"))
    return buyer


def _money(amount: Json) -> int:
    """Cents."""
    return int(amount["units"]) * 100 + int(amount["nanos"]) // 10_000_000


async def test_who_runs_out_pays_and_goes_on(stack: Stack, stripe: Stripe) -> None:
    ada = Buyer(stack, "billing-ada")
    conversation = await ada.rest.conversation()
    for _ in range(5):
        await ada.rest.turn(conversation)
    refused = await ada.rest.call("POST", f"/v1/{conversation}/messages:send", {"text": "More?"})
    (decision,) = [one for one in refused.body["details"] if one["@type"].endswith("Decision")]
    assert (refused.status, decision["plan"]) == (402, "plans/free")
    offered = {one["plan"] for one in decision["unlocks"]}
    assert offered == {"plans/creator", "plans/pro", "plans/max"}

    page = await ada.checkout(plan=PRO)
    assert page["test_mode"] is True
    assert landing(await stripe.pay(page)) == "app.example"
    await until(lambda: _status(ada, conversation), 200)
    assert await ada.standing() == ("pro", "ACTIVE")
    await until(ada.grants, [80])
    (invoice,) = await ada.invoices()
    assert (_money(invoice["amount"]), invoice["state"]) == (999, "INVOICE_STATE_PAID")
    assert [(line["article"], line["credits"]) for line in invoice["lines"]] == [("plans/pro", "80")]

    assert await ada.refused("checkoutSessions", plan=PRO, **BACK) == (400, "SUBSCRIBED")


async def _status(buyer: Buyer, conversation: str) -> int:
    """How the next turn is answered; one that is admitted is read to its end."""
    answer = await buyer.rest.call("POST", f"/v1/{conversation}/messages:send", {"text": "And now?"})
    return answer.status


async def test_a_pack_is_credited_once(stack: Stack, stripe: Stripe) -> None:
    bob = Buyer(stack, "billing-bob")
    await stripe.pay(await bob.checkout(pack="packs/small"))
    await until(bob.credits, 100)
    # Who has paid once needs no page, and the same request again is the same purchase.
    request = str(uuid4())
    bought = [await bob.change("credits:buy", pack="packs/small", request_id=request) for _ in range(2)]
    assert bought[0] == bought[1]
    await until(bob.credits, 200)
    await stripe.send_again()
    await until(bob.grants, [100, 100])
    assert await bob.charges() == [("packs/small", "PAID")] * 2


async def test_a_code_of_the_providers_makes_it_cheaper(stack: Stack, stripe: Stripe) -> None:
    ivy = Buyer(stack, "billing-ivy")
    await stripe.pay(await ivy.checkout(pack="packs/medium", promo_code="WELCOME50"))
    await until(ivy.grants, [500])
    (invoice,) = await ivy.invoices()
    assert _money(invoice["amount"]) in (999, 1000)
    assert await ivy.refused("checkoutSessions", pack="packs/medium", promo_code="NOBODYS", **BACK) == (
        404,
        "PROMO_CODE_NOT_FOUND",
    )


async def test_whoever_paid_has_a_page_of_their_own(stack: Stack, stripe: Stripe) -> None:
    joe = Buyer(stack, "billing-joe")
    back = {"return_url": "https://app.example/account"}
    assert await joe.refused("portalSessions", **back) == (400, "NO_CUSTOMER")
    await stripe.pay(await joe.checkout(pack="packs/small"))
    page = await joe.change("portalSessions", **back)
    assert page["test_mode"] is True
    assert "test" in await stripe.shown(page["url"])


async def test_a_declined_card_changes_nothing(stack: Stack, stripe: Stripe) -> None:
    eve = Buyer(stack, "billing-eve")
    page = await eve.checkout(plan=PRO)
    assert "problem=generic_decline" in await stripe.pay(page, DECLINED_CARD)
    assert (await eve.standing(), await eve.allowed(), await eve.grants()) == (("free", "ACTIVE"), "free", [])
    await stripe.pay(page)
    await until(eve.allowed, "pro")


async def test_an_upgrade_is_shown_before_it_is_made_and_is_made_once(stack: Stack, stripe: Stripe) -> None:
    kim = await _subscribed(stack, stripe, "billing-kim", WEEKLY)
    wish = {"plan": "plans/max", "interval": "INTERVAL_MONTH", "request_id": str(uuid4())}
    shown = await kim.change("subscription:change", **wish, validate_only=True)
    assert (_money(shown["amount_due"]) > 0, _money(shown["credited"]) > 0) == (True, True)
    assert await kim.standing() == ("creator", "ACTIVE")

    made = [await kim.change("subscription:change", **wish) for _ in range(2)]
    assert made[0] == made[1]
    assert made[0]["subscription"]["plan"] == "plans/max"
    await until(kim.allowed, "max")
    assert abs(_money(made[0]["amount_due"]) - _money(shown["amount_due"])) <= 1
    await until(lambda: _count(kim), 2)


async def _count(buyer: Buyer) -> int:
    return len(await buyer.invoices())


async def test_a_downgrade_waits_for_the_end_of_the_period(stack: Stack, stripe: Stripe) -> None:
    leo = await _subscribed(stack, stripe, "billing-leo", {"plan": "plans/pro", "interval": "INTERVAL_WEEK"})
    planned = await leo.change("subscription:change", **WEEKLY)
    assert (planned["subscription"]["plan"], planned["subscription"]["next_plan"]) == ("plans/pro", "plans/creator")
    assert (_money(planned["amount_due"]), await leo.allowed()) == (0, "pro")
    await stripe.advance(WEEK)
    await until(leo.allowed, "creator")
    await until(leo.standing, ("creator", "ACTIVE"))
    await until(leo.grants, [20, 10])


async def test_a_cancelled_plan_can_be_taken_up_again_until_it_ends(stack: Stack, stripe: Stripe) -> None:
    mia = await _subscribed(stack, stripe, "billing-mia", WEEKLY)
    cancelled = await mia.change("subscription:cancel")
    assert (cancelled["plan"], cancelled["state"]) == ("plans/creator", "SUBSCRIPTION_STATE_CANCELLED")
    resumed = await mia.change("subscription:resume")
    assert resumed["state"] == "SUBSCRIPTION_STATE_ACTIVE"
    await mia.change("subscription:cancel", immediately=True)
    await until(mia.allowed, "free")
    assert (await mia.refused("subscription:resume"))[0] == 400


async def test_a_paused_plan_charges_nothing(stack: Stack, stripe: Stripe) -> None:
    ned = await _subscribed(stack, stripe, "billing-ned", WEEKLY)
    await until(ned.charges, [("plans/creator", "PAID")])
    assert (await ned.change("subscription:pause"))["state"] == "SUBSCRIPTION_STATE_PAUSED"
    await stripe.advance(WEEK)
    assert (await ned.change("subscription:resume"))["state"] == "SUBSCRIPTION_STATE_ACTIVE"
    assert ("plans/creator", "PAID") in await ned.charges()


async def test_a_refund_takes_back_the_credits_and_the_plan(stack: Stack, stripe: Stripe) -> None:
    ola = await _subscribed(stack, stripe, "billing-ola", PRO)
    await until(ola.credits, 80)
    await stripe.refund(await ola.payment())
    await until(ola.allowed, "free")
    await until(ola.credits, 0)
    (invoice,) = await ola.invoices()
    assert (invoice["state"], _money(invoice["refunded"])) == ("INVOICE_STATE_REFUNDED", 999)
    assert [line["credits_reclaimed"] for line in invoice["lines"]] == ["80"]


async def test_a_chargeback_takes_back_a_pack_that_was_spent_in_part(stack: Stack, stripe: Stripe) -> None:
    pia = Buyer(stack, "billing-pia")
    await stripe.pay(await pia.checkout(pack="packs/medium"))
    await until(pia.credits, 500)
    await stripe.dispute(await pia.payment())
    await until(pia.credits, 0)
    assert await pia.charges() == [("packs/medium", "DISPUTED")]


async def test_a_payment_that_fails_leaves_days_to_put_it_right(stack: Stack, stripe: Stripe) -> None:
    sue = await _subscribed(stack, stripe, "billing-sue", WEEKLY)
    agreement = (await sue.ask("subscription"))["agreements"][0]["id"]
    await stripe.fail(agreement)
    await stripe.renew(agreement)
    await until(sue.standing, ("creator", "PAST_DUE"))
    assert (await sue.ask("subscription"))["grace_end_time"]
    await until(lambda: _states(sue), ["OPEN", "PAID"])
    (unpaid,) = [invoice for invoice in await sue.invoices() if invoice["state"] == "INVOICE_STATE_OPEN"]
    await stripe.press(f"{unpaid['url']}/pay")
    await until(sue.standing, ("creator", "ACTIVE"))
    await until(lambda: _states(sue), ["PAID", "PAID"])
    await until(sue.grants, [10, 10])


async def _states(buyer: Buyer) -> list[str]:
    """How the invoices stand, in no order: two may be of the same second."""
    return sorted(state for _, state in await buyer.charges())


async def test_lost_webhooks_are_found_by_comparing(stack: Stack, stripe: Stripe) -> None:
    await stripe.misbehave(drop_share=1)
    quin = Buyer(stack, "billing-quin")
    lost = await stripe.lost(COMPLETED)
    await stripe.pay(await quin.checkout(plan=PRO))
    await until(lambda: _has_lost(stripe, lost + 1), True)
    assert await quin.standing() == ("free", "ACTIVE")
    drifts = await _reconciled(stack, "billing-quin")
    assert set(drifts.values()) == {True}
    assert {"DRIFT_KIND_AGREEMENT_UNKNOWN", "DRIFT_KIND_PAYMENT_UNKNOWN"} <= set(drifts)
    await until(quin.allowed, "pro")
    await until(quin.grants, [80])
    assert await _reconciled(stack, "billing-quin") == {}


async def _has_lost(stripe: Stripe, times: int) -> bool:
    """Whether so many were lost, or more: what another test left may be lost as well."""
    return await stripe.lost(COMPLETED) >= times


async def _reconciled(stack: Stack, user: str) -> dict[str, bool]:
    """What `scenemesh billing reconcile` finds, by kind, and whether it was repaired."""
    ran = await asyncio.to_thread(stack.run, "billing", "reconcile", "--of", user, "--json")
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    assert "finished" in events[-1]
    return {event["drift"]["kind"]: event["drift"]["repaired"] for event in events if "drift" in event}


async def test_a_trial_is_had_once(stack: Stack, stripe: Stripe) -> None:
    rae = await _subscribed(stack, stripe, "billing-rae", {**PRO, "trial": True})
    assert await rae.standing() == ("pro", "TRIALING")
    await rae.change("subscription:cancel", immediately=True)
    await until(rae.allowed, "free")
    assert await rae.refused("checkoutSessions", plan={**PRO, "trial": True}, **BACK) == (400, "TRIAL_USED")
