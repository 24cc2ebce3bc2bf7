"""Money that goes back: refunds, and disputes of a bank."""

from cli.local.stripe.account import Account, made
from cli.local.stripe.events import changing, happened
from cli.local.stripe.params import Params
from cli.local.stripe.periods import DAY_SECONDS
from cli.local.stripe.refusal import Refusal
from cli.local.stripe.store import Object, new_id


def charge_of(account: Account, name: str) -> Object:
    """The paid charge of a charge's, a payment intent's or an invoice's id."""
    if name.startswith("in_"):
        account.store.get("invoice", name)
        paid = [one for one in account.store.all("invoice_payment") if one["invoice"] == name]
        if not paid:
            raise Refusal("Nothing was paid for this invoice.", param="invoice")
        name = paid[0]["payment"]["payment_intent"]
    if name.startswith("pi_"):
        charge = account.store.get("payment_intent", name, "payment_intent")["latest_charge"]
        name = charge or name
    charged = account.store.get("charge", name, "charge")
    if not charged["paid"]:
        raise Refusal("This charge did not succeed.", param="charge")
    return charged


def create(account: Account, params: Params) -> Object:
    """What `POST /v1/refunds` does."""
    params.one_of("charge", "payment_intent")
    name = params.text("charge") or params.text("payment_intent") or params.needed("charge")
    return refund(account, name, params.whole("amount", 1), params.text("reason"), params.metadata())


def refund(
    account: Account,
    name: str,
    amount: int | None = None,
    reason: str | None = None,
    metadata: dict[str, str] | None = None,
) -> Object:
    """Gives all or a part of a charge back."""
    found = charge_of(account, name)
    rest = found["amount"] - found["amount_refunded"]
    wanted = rest if amount is None else amount
    if rest == 0:
        raise Refusal(f"Charge {found['id']} has already been refunded.", code="charge_already_refunded")
    if found["disputed"]:
        raise Refusal("This charge is disputed and cannot be refunded.", code="charge_disputed")
    if wanted > rest:
        raise Refusal(
            f"Refund amount (${wanted / 100:.2f}) is greater than unrefunded amount on charge (${rest / 100:.2f})",
            param="amount",
        )
    made_refund = account.store.add(
        "refund",
        made(
            account,
            "refund",
            new_id("re_"),
            amount=wanted,
            balance_transaction=new_id("txn_"),
            charge=found["id"],
            currency=found["currency"],
            destination_details={"type": "card", "card": {"type": "refund"}},
            metadata=dict(metadata or {}),
            payment_intent=found["payment_intent"],
            reason=reason,
            receipt_number=None,
            source_transfer_reversal=None,
            status="succeeded",
            transfer_reversal=None,
        ),
    )
    with changing(account, "charge", found["id"], "charge.refunded") as charge:
        charge["amount_refunded"] += wanted
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    happened(account, "refund.created", made_refund)
    return made_refund


def dispute(account: Account, name: str, reason: str = "fraudulent") -> Object:
    """A buyer's bank takes a charge back."""
    found = charge_of(account, name)
    if found["disputed"]:
        raise Refusal("This charge is disputed already.", code="charge_disputed")
    with changing(account, "charge", found["id"], None) as charge:
        charge["disputed"] = True
    begun = account.store.add(
        "dispute",
        made(
            account,
            "dispute",
            new_id("du_"),
            amount=found["amount"] - found["amount_refunded"],
            balance_transactions=[],
            charge=found["id"],
            currency=found["currency"],
            enhanced_eligibility_types=[],
            evidence={},
            evidence_details={
                "due_by": account.now() + 7 * DAY_SECONDS,
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
            },
            is_charge_refundable=False,
            metadata={},
            payment_intent=found["payment_intent"],
            payment_method_details={"type": "card", "card": {"brand": "visa", "case_type": "chargeback"}},
            reason=reason,
            status="needs_response",
        ),
    )
    happened(account, "charge.dispute.created", begun)
    happened(account, "charge.dispute.funds_withdrawn", begun)
    return begun


def close_dispute(account: Account, identity: str, *, won: bool) -> Object:
    """The bank decides. The charge stays disputed either way, as Stripe has it."""
    if account.store.get("dispute", identity)["status"] in ("won", "lost"):
        raise Refusal("This dispute is closed already.")
    with changing(account, "dispute", identity, "charge.dispute.closed") as closed:
        closed["status"] = "won" if won else "lost"
    if won:
        happened(account, "charge.dispute.funds_reinstated", closed)
    return closed
