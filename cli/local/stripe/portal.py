"""The customer portal's sessions."""

from cli.local.stripe.account import Account, made
from cli.local.stripe.cards import owner
from cli.local.stripe.params import Params
from cli.local.stripe.store import Object, new_id

NAMES = ("configuration", "customer", "expand", "flow_data", "locale", "return_url")
# Stripe's lives for an hour after it was last used.
LIFE_SECONDS = 3600


def create(account: Account, params: Params) -> Object:
    customer = owner(account, params.needed("customer"))
    return account.store.add(
        "billing_portal.session",
        made(
            account,
            "billing_portal.session",
            new_id("bps_"),
            configuration="bpc_pretend",
            customer=customer["id"],
            customer_account=None,
            flow=None,
            locale=params.text("locale"),
            on_behalf_of=None,
            return_url=params.url("return_url"),
        ),
    )
