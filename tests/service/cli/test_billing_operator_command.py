import asyncio
import signal
from collections.abc import Sequence

import grpc
import jwt
import pytest

from runtime.errors import NotFound, Unavailable
from scenemesh.billing.v1 import billing_pb2, webhook_pb2
from tests.service.cli.conftest import WAIT_SECONDS, Command, rows
from tests.service.cli.fake_billing import INVOICE, LATER, NOON, Billing, dollars

REFUNDED = billing_pb2.Invoice(
    name="users/bob/invoices/stripe-in_2",
    state=billing_pb2.INVOICE_STATE_REFUNDED,
    amount=dollars(123456),
    refunded=dollars(123456),
    create_time=NOON,
    lines=[
        billing_pb2.InvoiceLine(article="plans/pro", credits=20, credits_reclaimed=20),
        billing_pb2.InvoiceLine(article="plans/creator"),
    ],
)
CODE = billing_pb2.PromoCode(
    name="promoCodes/SPRING",
    gift=billing_pb2.Gift(credits=50),
    redemptions_max=1000,
    redemptions_max_per_user=1,
    redemptions=12,
    create_time=NOON,
)
CODE_ROW = ["SPRING", "50 credits", "12 of 1,000", "1", "", "2026-11-22 12:00"]
IDS = [f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2)]
DEAD = [
    webhook_pb2.WebhookDelivery(
        name=f"webhookDeliveries/{one}",
        provider=billing_pb2.PROVIDER_STRIPE,
        event_id="evt_1",
        event_type="invoice.paid",
        state=webhook_pb2.DELIVERY_STATE_DEAD,
        detail="[red]PROVIDER_UNAVAILABLE[/red]",
        attempts=9,
        receive_time=NOON,
    )
    for one in IDS
]
DRIFTS = [
    billing_pb2.Drift(
        kind=billing_pb2.DRIFT_KIND_PAYMENT_UNKNOWN,
        user="users/bob",
        id="in_1",
        ours="nothing",
        theirs="paid, 9.99 USD",
        repaired=True,
    ),
    billing_pb2.Drift(kind=billing_pb2.DRIFT_KIND_OWNER_UNKNOWN, id="sub_9", ours="nothing", theirs="active"),
]
DRIFT_ROWS = [
    ["payment unknown", "bob", "in_1", "nothing", "paid, 9.99 USD", "yes"],
    ["owner unknown", "", "sub_9", "nothing", "active", "no"],
    ["owner unknown", "1", "0"],
    ["payment unknown", "1", "1"],
]
PROGRESS = billing_pb2.ReconcileEvent(progress=billing_pb2.ReconcileProgress(compared=1000))


def drift(one: billing_pb2.Drift) -> billing_pb2.ReconcileEvent:
    return billing_pb2.ReconcileEvent(drift=one)


def finished(drifts: int, repaired: int) -> billing_pb2.ReconcileEvent:
    end = billing_pb2.ReconcileFinished(compared=1204, drifts=drifts, repaired=repaired)
    return billing_pb2.ReconcileEvent(finished=end)


def roles(billing: Billing) -> set[str]:
    return {jwt.decode(token, options={"verify_signature": False})["role"] for token in billing.tokens}


async def test_a_charge_is_explained(buyer: Command, billing: Billing) -> None:
    page = billing_pb2.ListInvoicesResponse(invoices=[INVOICE], next_page_token="more")
    billing.answer(billing_pb2.ListInvoicesRequest, page, billing_pb2.ListInvoicesResponse(invoices=[REFUNDED]))
    ran = await buyer("billing", "invoices", "--of", "bob", "--all")
    assert rows(ran.out) == [
        ["2026-11-22 12:00", "stripe-pi_1", "small", "4.99 USD", "", "+100", "paid"],
        ["2026-11-22 12:00", "stripe-in_2", "pro", "1,234.56 USD", "1,234.56 USD", "+20 -20", "refunded"],
        ["", "", "creator", "", "", "", ""],
    ]
    assert (roles(billing), {one.parent for one in billing.requests}) == ({"operator"}, {"users/bob"})


async def test_a_list_says_that_there_are_more_or_none(buyer: Command, billing: Billing) -> None:
    page = billing_pb2.ListInvoicesResponse(invoices=[INVOICE], next_page_token="more")
    billing.answer(billing_pb2.ListInvoicesRequest, page, billing_pb2.ListInvoicesResponse())
    first, none = await buyer("billing", "invoices"), await buyer("billing", "invoices")
    assert (first.err, none.out, none.err) == ("There are more: --all shows them.\n", "", "Nothing was charged.\n")
    assert roles(billing) == {"user"}


async def test_a_code_for_credits_is_made(buyer: Command, billing: Billing) -> None:
    billing.answer(billing_pb2.CreatePromoCodeRequest, CODE)
    limits = ("--max", "1000", "--per-user", "2", "--until", "2026-12-22T12:00:00Z")
    ran = await buyer("billing", "promo", "create", "spring", "--credits", "50", *limits)
    assert (ran.code, rows(ran.out), roles(billing)) == (0, [CODE_ROW], {"operator"})
    assert billing.requests == [
        billing_pb2.CreatePromoCodeRequest(
            code="spring",
            gift=billing_pb2.Gift(credits=50),
            redemptions_max=1000,
            redemptions_max_per_user=2,
            expire_time=LATER,
        )
    ]


async def test_a_code_for_days_of_a_plan_is_made(buyer: Command, billing: Billing) -> None:
    billing.answer(billing_pb2.CreatePromoCodeRequest, CODE)
    assert (await buyer("billing", "promo", "create", "spring", "--plan", "pro", "--days", "30")).code == 0
    gift = billing_pb2.Gift(plan_days=billing_pb2.PlanDays(plan="plans/pro", days=30))
    assert billing.requests[0].gift == gift


@pytest.mark.parametrize(
    "wrong", [(), ("--plan", "pro"), ("--days", "3"), ("--credits", "5", "--plan", "pro", "--days", "3")]
)
async def test_a_code_gives_one_thing(buyer: Command, billing: Billing, wrong: Sequence[str]) -> None:
    ran = await buyer("billing", "promo", "create", "spring", *wrong)
    assert (ran.code, billing.requests) == (2, [])
    assert ran.err == "scenemesh: A code gives either --credits, or --days of a --plan.\n"


async def test_codes_are_listed(buyer: Command, billing: Billing) -> None:
    page = billing_pb2.ListPromoCodesResponse(promo_codes=[CODE])
    billing.answer(billing_pb2.ListPromoCodesRequest, page, billing_pb2.ListPromoCodesResponse())
    some, none = await buyer("billing", "promo", "list"), await buyer("billing", "promo", "list")
    assert (rows(some.out), none.err, roles(billing)) == ([CODE_ROW], "There is no code yet.\n", {"operator"})


async def test_dead_deliveries_are_listed_with_why(buyer: Command, billing: Billing) -> None:
    billing.answer(
        webhook_pb2.ListWebhookDeliveriesRequest, webhook_pb2.ListWebhookDeliveriesResponse(deliveries=DEAD[:1])
    )
    ran = await buyer("billing", "deliveries", "--only", "dead", "--provider", "stripe")
    assert rows(ran.out) == [
        [IDS[0], "stripe", "invoice.paid", "dead", "9", "2026-11-22 12:00", "[red]PROVIDER_UNAVAILABLE[/red]"]
    ]
    assert (roles(billing), billing.requests) == (
        {"operator"},
        [
            webhook_pb2.ListWebhookDeliveriesRequest(
                state=webhook_pb2.DELIVERY_STATE_DEAD, provider=billing_pb2.PROVIDER_STRIPE
            )
        ],
    )


async def test_one_delivery_is_replayed(buyer: Command, billing: Billing) -> None:
    billing.answer(webhook_pb2.ReplayWebhookDeliveryRequest, DEAD[0])
    ran = await buyer("billing", "replay", IDS[0], "--json")
    assert (ran.json, roles(billing)) == ({"replayed": [DEAD[0].name]}, {"operator"})
    assert billing.requests == [webhook_pb2.ReplayWebhookDeliveryRequest(name=DEAD[0].name)]


async def test_all_dead_deliveries_are_replayed_from_all_pages(buyer: Command, billing: Billing) -> None:
    pages = [
        webhook_pb2.ListWebhookDeliveriesResponse(deliveries=[DEAD[0]], next_page_token="more"),
        webhook_pb2.ListWebhookDeliveriesResponse(deliveries=[DEAD[1]]),
    ]
    billing.answer(webhook_pb2.ListWebhookDeliveriesRequest, *pages)
    billing.answer(webhook_pb2.ReplayWebhookDeliveryRequest, DEAD[0])
    ran = await buyer("billing", "replay", "--dead")
    assert ran.out == "2 replayed; `scenemesh billing deliveries` shows what became of them.\n"
    assert [one.name for one in billing.requests[2:]] == [one.name for one in DEAD]


async def test_without_a_dead_delivery_nothing_is_replayed(buyer: Command, billing: Billing) -> None:
    billing.answer(webhook_pb2.ListWebhookDeliveriesRequest, webhook_pb2.ListWebhookDeliveriesResponse())
    ran = await buyer("billing", "replay", "--dead")
    assert (ran.code, ran.out, ran.err) == (0, "", "There is no such delivery.\n")


async def test_a_replay_that_breaks_off_says_how_far_it_came(buyer: Command, billing: Billing) -> None:
    page = webhook_pb2.ListWebhookDeliveriesResponse(deliveries=DEAD)
    billing.answer(webhook_pb2.ListWebhookDeliveriesRequest, page)
    away = Unavailable("The database does not answer.", reason="DATABASE_UNAVAILABLE")
    billing.answer(webhook_pb2.ReplayWebhookDeliveryRequest, DEAD[0], away)
    ran = await buyer("billing", "replay", "--dead")
    assert (ran.code, ran.err.splitlines()[0]) == (3, "scenemesh: The database does not answer.")
    assert ran.err.splitlines()[1].startswith("1 of 2 were replayed before. ")


@pytest.mark.parametrize("wrong", [(), ("--dead", IDS[0])])
async def test_a_replay_is_of_one_or_of_all(buyer: Command, billing: Billing, wrong: Sequence[str]) -> None:
    assert ((await buyer("billing", "replay", *wrong)).code, billing.requests) == (2, [])


async def test_a_delivery_that_is_not_there_is_told(buyer: Command, billing: Billing) -> None:
    refusal = NotFound("There is no such delivery.", reason="DELIVERY_NOT_FOUND")
    billing.answer(webhook_pb2.ReplayWebhookDeliveryRequest, refusal)
    ran = await buyer("billing", "replay", IDS[0])
    assert ran.err.splitlines()[1] == "`scenemesh billing deliveries` shows those that there are."


async def test_differences_are_tables_and_what_remains_is_a_failure(buyer: Command, billing: Billing) -> None:
    billing.reconciliation = (PROGRESS, *map(drift, DRIFTS), finished(2, 1))
    ran = await buyer("billing", "reconcile", "--dry-run", "--of", "bob")
    assert (ran.code, ran.err, rows(ran.out)) == (1, "", DRIFT_ROWS)
    assert ran.out.splitlines()[-1] == "1,204 compared, 2 differed, 1 repaired."
    assert billing.requests == [billing_pb2.ReconcileRequest(validate_only=True, user="users/bob")]
    assert roles(billing) == {"operator"}


@pytest.mark.parametrize("end", [finished(0, 0), finished(2, 2)])
async def test_nothing_or_all_repaired_is_success(
    buyer: Command, billing: Billing, end: billing_pb2.ReconcileEvent
) -> None:
    billing.reconciliation = (end,)
    ran = await buyer("billing", "reconcile")
    assert (ran.code, rows(ran.out), billing.requests) == (0, [], [billing_pb2.ReconcileRequest()])


async def test_differences_are_a_line_each_for_programs(buyer: Command, billing: Billing) -> None:
    billing.reconciliation = (PROGRESS, drift(DRIFTS[0]), finished(1, 1))
    ran = await buyer("billing", "reconcile", "--json")
    assert [list(line) for line in ran.lines] == [["progress"], ["drift"], ["finished"]]
    assert (ran.code, ran.lines[1]["drift"]["kind"]) == (0, "DRIFT_KIND_PAYMENT_UNKNOWN")


@pytest.mark.parametrize(("reason", "code"), [("PROVIDER_UNAVAILABLE", 3), ("INTERNAL", 1)])
async def test_what_could_not_go_on_is_a_failure_after_what_it_told(
    buyer: Command, billing: Billing, reason: str, code: int
) -> None:
    failed = billing_pb2.ReconcileFailed(reason=reason, message="Stripe does not answer.")
    billing.reconciliation = (drift(DRIFTS[0]), billing_pb2.ReconcileEvent(failed=failed))
    people, program = await buyer("billing", "reconcile"), await buyer("billing", "reconcile", "--json")
    assert (people.code, rows(people.out)[0]) == (code, DRIFT_ROWS[0])
    assert people.err.splitlines()[0] == "scenemesh: Stripe does not answer."
    assert (program.code, program.lines[-1]["failed"]["reason"]) == (code, reason)


@pytest.mark.parametrize("cut", [(), (grpc.StatusCode.UNAVAILABLE,)])
async def test_a_stream_that_is_cut_is_a_failure(
    buyer: Command, billing: Billing, cut: tuple[grpc.StatusCode, ...]
) -> None:
    billing.reconciliation = (drift(DRIFTS[0]), *cut)
    ran = await buyer("billing", "reconcile")
    assert (ran.code, rows(ran.out)[0]) == (3 if cut else 1, DRIFT_ROWS[0])


async def test_ctrl_c_ends_a_reconciliation(buyer: Command, billing: Billing) -> None:
    billing.reconciliation = (PROGRESS, grpc.StatusCode.OK)
    process = await buyer.start("billing", "reconcile", "--json")
    assert process.stdout is not None
    await process.stdout.readline()
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(WAIT_SECONDS):
        _, err = await process.communicate()
        await billing.abandoned.wait()
    assert (process.returncode, err.decode()) == (130, "Stopped. What was repaired stays repaired.\n")
