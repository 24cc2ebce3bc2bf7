"""Invoices: made, discounted, closed."""

from cli.local.stripe.account import CURRENCY, Account, made
from cli.local.stripe.discounts import in_force, taken
from cli.local.stripe.events import happened
from cli.local.stripe.store import Object, new_id


def draft(account: Account, subscription: Object, lines: list[Object], reason: str) -> Object:
    """A new invoice of a subscription, with its discounts."""
    identity = new_id("in_")
    customer = account.store.get("customer", subscription["customer"])
    period = subscription["items"][0]
    invoice = made(
        account,
        "invoice",
        identity,
        account_country="US",
        account_name="SceneMesh (test mode)",
        attempt_count=0,
        attempted=False,
        auto_advance=True,
        automatic_tax={"enabled": False, "liability": None, "status": None, "disabled_reason": None, "provider": None},
        automatically_finalizes_at=None,
        billing_reason=reason,
        collection_method="charge_automatically",
        currency=CURRENCY,
        customer=customer["id"],
        customer_account=None,
        customer_email=customer["email"],
        customer_name=customer["name"],
        default_payment_method=None,
        description=None,
        discounts=[],
        due_date=None,
        effective_at=None,
        from_invoice=None,
        issuer={"type": "self"},
        last_finalization_error=None,
        metadata={},
        next_payment_attempt=None,
        number=None,
        parent={
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": {
                "metadata": dict(subscription["metadata"]),
                "subscription": subscription["id"],
            },
        },
        payment_settings={"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        period_end=period["current_period_start"],
        period_start=period["current_period_start"],
        receipt_number=None,
        status="draft",
        status_details=None,
        status_transitions=dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
        total_taxes=[],
        lines=lines,
    )
    for line in lines:
        line["invoice"] = identity
    _discount(account, subscription, invoice)
    _add_up(customer, invoice)
    account.store.add("invoice", invoice)
    happened(account, "invoice.created", invoice)
    return invoice


def _discount(account: Account, subscription: Object, invoice: Object) -> None:
    """Takes the subscription's discounts off the lines that they are for; one for once is used up by that."""
    totals = []
    for discount in in_force(account, subscription["discounts"]):
        total = 0
        for line in invoice["lines"]:
            rest = line["amount"] - sum(one["amount"] for one in line["discount_amounts"])
            if line["discountable"] and rest > 0:
                amount = taken(account, discount, rest)
                line["discount_amounts"].append({"amount": amount, "discount": discount["id"]})
                line["discounts"].append(discount["id"])
                total += amount
        if total:
            totals.append({"amount": total, "discount": discount["id"]})
            if discount["_once"]:
                changed = account.store.edit("subscription", subscription["id"])
                changed["discounts"] = [one for one in changed["discounts"] if one != discount["id"]]
    invoice["discounts"] = [one["discount"] for one in totals]
    invoice["total_discount_amounts"] = totals


def _add_up(customer: Object, invoice: Object) -> None:
    """The sums; what the customer has in their favour counts against what is due."""
    subtotal = sum(line["amount"] for line in invoice["lines"])
    total = subtotal - sum(one["amount"] for one in invoice["total_discount_amounts"])
    before = customer["balance"]
    due = max(0, total + before)
    invoice |= {
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": total,
        "total_excluding_tax": total,
        "amount_due": due,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": due,
        "amount_shipping": 0,
        "starting_balance": before,
        "ending_balance": None,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
    }


def net_of(line: Object) -> int:
    """What a line costs after its discounts."""
    return int(line["amount"] - sum(one["amount"] for one in line["discount_amounts"]))


def finalize(account: Account, identity: str) -> None:
    """Closes a draft, which is paid at once when nothing is due."""
    close(account, identity)
    if account.store.get("invoice", identity)["amount_due"] == 0:
        paid(account, identity)


def close(account: Account, identity: str) -> None:
    """Closes a draft: it has a number now and is to be paid."""
    invoice = account.store.edit("invoice", identity)
    customer = account.store.edit("customer", invoice["customer"])
    invoice |= {
        "status": "open",
        "number": f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}",
        "effective_at": account.now(),
        "ending_balance": min(0, invoice["total"] + customer["balance"]),
    }
    invoice["status_transitions"]["finalized_at"] = account.now()
    customer["next_invoice_sequence"] += 1
    if customer["balance"] != invoice["ending_balance"]:
        before = customer["balance"]
        customer["balance"] = invoice["ending_balance"]
        happened(account, "customer.updated", customer, {"balance": before})
    happened(account, "invoice.finalized", invoice)


def paid(account: Account, identity: str) -> None:
    invoice = account.store.edit("invoice", identity)
    invoice |= {
        "status": "paid",
        "amount_paid": invoice["amount_due"],
        "amount_remaining": 0,
        "attempted": True,
        "auto_advance": False,
        "next_payment_attempt": None,
    }
    invoice["status_transitions"]["paid_at"] = account.now()
    happened(account, "invoice.paid", invoice)
    happened(account, "invoice.payment_succeeded", invoice)


def void(account: Account, identity: str) -> None:
    """Nobody pays it any more; what it took of the customer's favour is given back."""
    invoice = account.store.edit("invoice", identity)
    invoice |= {"status": "void", "auto_advance": False, "next_payment_attempt": None, "amount_remaining": 0}
    invoice["status_transitions"]["voided_at"] = account.now()
    account.store.edit("customer", invoice["customer"])["balance"] -= (
        invoice["ending_balance"] - invoice["starting_balance"]
    )
    happened(account, "invoice.voided", invoice)


def uncollectible(account: Account, identity: str, reason: str) -> None:
    invoice = account.store.edit("invoice", identity)
    invoice |= {"status": "uncollectible", "auto_advance": False, "next_payment_attempt": None}
    invoice["status_details"] = {"uncollectible": {"reason": reason}}
    invoice["status_transitions"]["marked_uncollectible_at"] = account.now()
    happened(account, "invoice.marked_uncollectible", invoice)
