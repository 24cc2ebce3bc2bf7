"""What a test, a person, time and a bank do to the pretend account, beside what the API does."""

import asyncio
from typing import Any

from cli.local.stripe import checkout, customers, passing, promoting, returning, subscribing
from cli.local.stripe.account import KEY, Account
from cli.local.stripe.cards import GOOD
from cli.local.stripe.delivering import Deliveries
from cli.local.stripe.params import Params
from cli.local.stripe.store import Object
from cli.local.stripe.views import render

ADVANCE_SECONDS_MAX = 5 * 366 * 86_400
POLL_SECONDS = 0.005


class Pretend:
    """A pretend Stripe that runs. Everything is done at once; the webhooks that tell of it are on their way then, and
    `delivered` waits for them."""

    key = KEY

    def __init__(self, account: Account, deliveries: Deliveries) -> None:
        self.account = account
        self.deliveries = deliveries
        # Set when what goes on beside the requests has come to an end that nobody wanted.
        self.broken = asyncio.Event()

    @property
    def url(self) -> str:
        return self.account.url

    @property
    def webhooks(self) -> list[Object]:
        """Every attempt to deliver an event, newest first."""
        return self.deliveries.told()

    def get(self, kind: str, identity: str) -> Object:
        """An object as the API shows it; `kind` is Stripe's word, as in `object`."""
        return render(self.account, self.account.store.get(kind, identity))

    def all(self, kind: str) -> list[Object]:
        """Every object of a kind, newest first."""
        return [render(self.account, one) for one in self.account.store.all(kind)]

    def advance(self, seconds: float) -> None:
        """Moves the account's time; what comes due on the way is done at its moment."""
        if not 0 <= seconds <= ADVANCE_SECONDS_MAX:
            raise ValueError(f"The clock moves from 0 to {ADVANCE_SECONDS_MAX} seconds at once.")
        passing.run(self.account, self.account.now() + int(seconds))
        self.account.clock.advance(seconds)

    def tick(self) -> None:
        """Does what has come due by itself."""
        passing.run(self.account, self.account.now())

    def faults(self, **faults: Any) -> None:
        """See faults.Faults; what is not named stays as it is."""
        self.deliveries.set_faults(self.deliveries.faults.changed(faults))

    def pay(self, session: str, card: str = GOOD) -> str | None:
        """The buyer pays a checkout session. Gives None, or the decline code."""
        with self.account.store.transaction():
            return checkout.pay(self.account, session, card)

    def decline(self, session: str) -> str | None:
        """The buyer tries with a card that is declined; the session stays open."""
        return self.pay(session, "pm_card_chargeDeclined")

    def expire(self, session: str) -> None:
        with self.account.store.transaction():
            checkout.expire(self.account, session)

    def renew(self, subscription: str) -> None:
        """The present period of a subscription ends now, whatever that brings: a renewal, the end of a trial or of the
        subscription, a planned change."""
        with self.account.store.transaction():
            passing.bring_forward(self.account, subscription)

    def fail(self, subscription: str, times: int = 1) -> None:
        """The next payments of the subscription's customer are declined."""
        with self.account.store.transaction():
            customer = self.account.store.get("subscription", subscription)["customer"]
            self.account.store.edit("customer", customer)["_failures"] = times

    def cancel(self, subscription: str) -> None:
        """Ends a subscription at once, as from Stripe's own pages."""
        with self.account.store.transaction():
            subscribing.end(self.account, subscription, "cancellation_requested")

    def card(self, customer: str, card: str = GOOD) -> None:
        """The customer pays with another card from now on."""
        with self.account.store.transaction():
            customers.pay_with(self.account, customer, card)

    def refund(self, payment: str, amount: int | None = None) -> Object:
        """Gives a payment back, all or so many cents of it; a charge's, payment intent's or invoice's id."""
        with self.account.store.transaction():
            return render(self.account, returning.refund(self.account, payment, amount))

    def dispute(self, payment: str) -> Object:
        """The buyer's bank takes a payment back."""
        with self.account.store.transaction():
            return render(self.account, returning.dispute(self.account, payment))

    def close_dispute(self, dispute: str, *, won: bool) -> Object:
        with self.account.store.transaction():
            return render(self.account, returning.close_dispute(self.account, dispute, won=won))

    def coupon(self, code: str, **terms: Any) -> Object:
        """A promotion code with a coupon of its own, `percent_off=20` or `amount_off=100, duration="forever"`."""
        with self.account.store.transaction():
            of = promoting.coupon(self.account, Params({name: str(value) for name, value in terms.items()}))
            promotion = {"type": "coupon", "coupon": of["id"]}
            return render(self.account, promoting.code(self.account, Params({"code": code, "promotion": promotion})))

    def send_again(self, event: str) -> None:
        """Delivers an event once more."""
        self.account.store.get("event", event)
        self.account.news.append(event)
        self.account.woken.set()

    async def delivered(self, seconds_max: float = 10.0) -> None:
        """Waits until every webhook was taken. Raises TimeoutError."""
        async with asyncio.timeout(seconds_max):
            while not self.deliveries.idle:  # noqa: ASYNC110 (the end of many tasks, in a test)
                await asyncio.sleep(POLL_SECONDS)
