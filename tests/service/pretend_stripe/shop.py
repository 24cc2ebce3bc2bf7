"""What tests buy, through the real SDK."""

from dataclasses import dataclass
from typing import Any

import stripe

from cli.local.stripe.pretend import Pretend

DAY = 86_400


@dataclass
class Shop:
    """The pretend Stripe and a client of it."""

    fake: Pretend
    client: stripe.StripeClient

    async def customer(self, user: str = "ann") -> str:
        made = await self.client.v1.customers.create_async({"metadata": {"user_id": user}})
        return made.id

    async def session(self, price: str, customer: str | None = None, **params: Any) -> stripe.checkout.Session:
        """An open checkout session for one price."""
        mode = "payment" if price.startswith("price_credits") else "subscription"
        given: Any = {
            "mode": mode,
            "customer": customer or await self.customer(),
            "line_items": [{"price": price, "quantity": 1}],
            "success_url": "https://app.invalid/paid?session={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://app.invalid/plans",
            **params,
        }
        return await self.client.v1.checkout.sessions.create_async(given)

    async def subscribed(self, price: str = "price_pro_month", customer: str | None = None, **params: Any) -> str:
        """The id of a subscription that was paid."""
        session = await self.session(price, customer, **params)
        assert self.fake.pay(session.id) is None
        return str(self.fake.get("checkout.session", session.id)["subscription"])

    def item(self, subscription: str) -> dict[str, Any]:
        """The subscription's only item."""
        (item,) = self.fake.get("subscription", subscription)["items"]["data"]
        return dict(item)

    def latest(self, subscription: str) -> dict[str, Any]:
        """The subscription's latest invoice."""
        return self.fake.get("invoice", self.fake.get("subscription", subscription)["latest_invoice"])

    async def change(self, subscription: str, price: str, **params: Any) -> stripe.Subscription:
        given: Any = {"items": [{"id": self.item(subscription)["id"], "price": price}], **params}
        return await self.client.v1.subscriptions.update_async(subscription, given)


def lines(invoice: dict[str, Any]) -> list[tuple[str, int, bool]]:
    """The price, the amount and whether it is a proration, of each line."""
    return [
        (
            line["pricing"]["price_details"]["price"],
            line["amount"],
            line["parent"]["subscription_item_details"]["proration"],
        )
        for line in invoice["lines"]["data"]
    ]
