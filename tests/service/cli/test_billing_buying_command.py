import asyncio
import json
import signal
from pathlib import Path

import grpc
import pytest

from runtime.errors import DeadlineExceeded, FailedPrecondition, MeshError, NotFound
from scenemesh.billing.v1 import billing_pb2
from scenemesh.quota.v1 import quota_pb2
from tests.service.cli.conftest import WAIT_SECONDS, Command, rows
from tests.service.cli.fake_billing import FREE, INVOICE, NOON, PAGE, PRO, Billing
from tests.service.cli.fake_edge import QUOTA, SPENT

REFILLED = quota_pb2.Quota(name=QUOTA.name, plan="plans/pro", time_zone=QUOTA.time_zone)
LOOK = billing_pb2.GetSubscriptionRequest(name="users/me/subscription")
SMALL_ROW = ["2026-11-22 12:00", "stripe-pi_1", "small", "4.99 USD", "", "+100", "paid"]


def checkout(request: billing_pb2.CreateCheckoutSessionRequest) -> billing_pb2.CreateCheckoutSessionRequest:
    """The request without its id, which is another one every time."""
    assert request.request_id
    request.ClearField("request_id")
    return request


async def test_plans_and_packs_are_tables_of_what_one_pays_and_gains(buyer: Command) -> None:
    ran = await buyer("billing", "plans")
    assert (ran.code, ran.err) == (0, "")
    assert rows(ran.out) == [
        ["Free", "current", "free", "", "chat: 5 a day"],
        ["(free)", "", "", "", ""],
        ["Pro", "upgrade", "3.99 USD a week", "stripe", "chat: 50 a day (+45)"],
        ["(pro)", "7 days of trial", "9.99 USD a month + 20 credits", "", "video: no limit"],
        ["100 credits (small)", "100", "4.99 USD", "stripe, revenuecat"],
    ]


async def test_on_a_narrow_terminal_plans_are_a_list(buyer: Command) -> None:
    ran = await buyer("billing", "plans", COLUMNS="40")
    pro = ran.out[ran.out.index("Plan     Pro") :].splitlines()
    assert pro[:8] == [
        "Plan     Pro",
        "         (pro)",
        "For you  upgrade",
        "         7 days of trial",
        "Price    3.99 USD a week",
        "         9.99 USD a month + 20 credits",
        "Sold by  stripe",
        "Gives    chat: 50 a day (+45)",
    ]


async def test_plans_are_for_anybody(billing: Billing, tmp_path: Path) -> None:
    ran = await Command(tmp_path)("billing", "plans", "--json", "--url", billing.url)
    assert ([plan["name"] for plan in ran.json["plans"]], billing.tokens) == (["plans/free", "plans/pro"], [""])


async def test_a_plan_is_paid_for_on_a_page_whose_url_stands_alone(buyer: Command, billing: Billing) -> None:
    billing.answer(billing_pb2.CreateCheckoutSessionRequest, PAGE)
    ran = await buyer("billing", "checkout", "pro", "--trial", "--promo", "SPRING")
    assert (ran.code, ran.out) == (0, "https://pay.example/cs_1\n")
    assert ran.err.splitlines() == ["Pro, 9.99 USD a month", "TEST MODE: no money moves."]
    assert checkout(billing.requests[-1]) == billing_pb2.CreateCheckoutSessionRequest(
        parent="users/me",
        plan=billing_pb2.PlanChoice(plan="plans/pro", interval=billing_pb2.INTERVAL_MONTH, trial=True),
        provider=billing_pb2.PROVIDER_STRIPE,
        promo_code="SPRING",
        success_url=f"{billing.url}/v1/plans",
        cancel_url=f"{billing.url}/v1/plans",
    )


async def test_a_pack_may_be_sold_by_another_and_lead_elsewhere_afterwards(buyer: Command, billing: Billing) -> None:
    billing.answer(billing_pb2.CreateCheckoutSessionRequest, PAGE)
    places = ("--success-url", "https://app.example/thanks", "--cancel-url", "https://app.example/shop")
    ran = await buyer("billing", "checkout", "packs/small", "--provider", "cryptomus", *places, "--json")
    assert (ran.code, ran.err, ran.json["url"], ran.json["test_mode"]) == (0, "", PAGE.url, True)
    assert checkout(billing.requests[-1]) == billing_pb2.CreateCheckoutSessionRequest(
        parent="users/me",
        pack="packs/small",
        provider=billing_pb2.PROVIDER_CRYPTOMUS,
        success_url="https://app.example/thanks",
        cancel_url="https://app.example/shop",
    )


async def test_a_page_is_opened_in_the_browser(buyer: Command, billing: Billing, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o700)
    billing.answer(billing_pb2.CreateCheckoutSessionRequest, PAGE)
    assert (await buyer("billing", "checkout", "small", "--open", BROWSER=str(browser))).code == 0
    assert (tmp_path / "opened").read_text() == f"{PAGE.url}\n"


async def test_what_is_no_page_is_not_opened(buyer: Command, billing: Billing) -> None:
    billing.answer(billing_pb2.CreatePortalSessionRequest, billing_pb2.PortalSession(url="file:///etc/hosts"))
    ran = await buyer("billing", "portal", "--open", BROWSER="/bin/false")
    assert (ran.code, ran.err) == (0, "There is no browser to open it in.\n")


async def test_a_plan_is_waited_for_until_it_has_refilled_the_quota(buyer: Command, billing: Billing) -> None:
    billing.answer(billing_pb2.CreateCheckoutSessionRequest, PAGE)
    billing.answer(billing_pb2.GetSubscriptionRequest, FREE, grpc.StatusCode.UNAVAILABLE, FREE, PRO)
    billing.answer(quota_pb2.GetQuotaRequest, QUOTA, QUOTA, QUOTA, QUOTA, REFILLED)
    ran = await buyer("billing", "checkout", "pro", "--wait")
    assert (ran.code, "alice: pro, Europe/Berlin" in ran.out) == (0, True)
    assert rows(ran.out) == [
        ["Plan", "pro, by the month"],
        ["State", "active"],
        ["Sold by", "stripe"],
        ["Renews", "2026-12-22 12:00"],
    ]


async def test_credits_are_waited_for_and_told_to_programs_in_a_second_line(buyer: Command, billing: Billing) -> None:
    billing.answer(billing_pb2.CreateCheckoutSessionRequest, PAGE)
    paid = billing_pb2.ListInvoicesResponse(invoices=[INVOICE])
    billing.answer(billing_pb2.ListInvoicesRequest, billing_pb2.ListInvoicesResponse(), paid)
    billing.answer(quota_pb2.GetQuotaRequest, QUOTA, QUOTA, SPENT)
    page, bought = (await buyer("billing", "checkout", "small", "--wait", "--json")).lines
    assert (page["url"], bought["bought"]["invoices"][0]["name"]) == (PAGE.url, INVOICE.name)
    assert bought["quota"]["meters"][0]["remaining"] == "0"


async def test_a_page_that_closes_unpaid_is_a_failure(buyer: Command, billing: Billing) -> None:
    closed = billing_pb2.CheckoutSession(name=PAGE.name, url=PAGE.url, expire_time=NOON)
    closed.expire_time.seconds = 1
    billing.answer(billing_pb2.CreateCheckoutSessionRequest, closed)
    billing.answer(billing_pb2.GetSubscriptionRequest, FREE)
    ran = await buyer("billing", "checkout", "pro", "--wait")
    assert (ran.code, ran.err.splitlines()[-1]) == (1, "scenemesh: The page has closed, and nothing was paid.")


async def test_ctrl_c_ends_the_waiting_alone(buyer: Command, billing: Billing) -> None:
    billing.answer(billing_pb2.CreateCheckoutSessionRequest, PAGE)
    billing.answer(billing_pb2.GetSubscriptionRequest, FREE)
    process = await buyer.start("billing", "checkout", "pro", "--wait")
    async with asyncio.timeout(WAIT_SECONDS):
        while billing.requests.count(LOOK) < 2:
            await asyncio.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert (process.returncode, err.decode().splitlines()[-1][:20]) == (130, "The page stays open ")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("checkout", "gold"), 1, "scenemesh: There is no plan or pack 'gold'."),
        (("checkout", "free"), 2, "scenemesh: plans/free is not sold so. It costs nothing."),
        (
            ("checkout", "pro", "--interval", "year"),
            2,
            "scenemesh: plans/pro is not sold so. It costs 3.99 USD a week, 9.99 USD a month.",
        ),
        (("checkout", "small", "--trial"), 2, "scenemesh: A pack is paid for once: --interval and --trial have no"),
    ],
)
async def test_what_is_not_on_offer_is_told_before_any_page(
    buyer: Command, billing: Billing, words: tuple[str, ...], code: int, told: str
) -> None:
    ran = await buyer("billing", *words)
    assert (ran.code, ran.err.splitlines()[0][: len(told)], len(billing.requests)) == (code, told, 1)


async def test_a_pack_is_bought_with_the_payment_method_there_is(buyer: Command, billing: Billing) -> None:
    billing.answer(billing_pb2.BuyCreditsRequest, INVOICE)
    ran = await buyer("billing", "buy", "small")
    assert (ran.code, rows(ran.out)) == (0, [SMALL_ROW])
    assert (billing.requests[0].parent, billing.requests[0].pack) == ("users/me", "packs/small")


@pytest.mark.parametrize("end", [grpc.StatusCode.UNAVAILABLE, DeadlineExceeded("Late.", reason="DEADLINE_EXCEEDED")])
async def test_an_answer_that_got_lost_is_asked_for_again_under_the_same_id(
    buyer: Command, billing: Billing, end: grpc.StatusCode | MeshError
) -> None:
    billing.answer(billing_pb2.BuyCreditsRequest, end, INVOICE)
    assert rows((await buyer("billing", "buy", "small")).out) == [SMALL_ROW]
    assert (len(billing.requests), len({one.request_id for one in billing.requests})) == (2, 1)


async def test_what_may_have_happened_is_told_so(buyer: Command, billing: Billing) -> None:
    billing.answer(billing_pb2.BuyCreditsRequest, grpc.StatusCode.DEADLINE_EXCEEDED)
    ran = await buyer("billing", "buy", "small")
    assert (ran.code, len(billing.requests)) == (1, 4)
    assert ran.err.splitlines()[-1] == "It may have happened all the same: look before you say it again."


async def test_what_the_bank_declines_is_told_with_what_to_do_and_not_asked_for_again(
    buyer: Command, billing: Billing
) -> None:
    billing.answer(billing_pb2.BuyCreditsRequest, FailedPrecondition("The bank said no.", reason="PAYMENT_DECLINED"))
    ran = await buyer("billing", "buy", "small")
    assert (ran.code, len(billing.requests)) == (1, 1)
    assert ran.err.splitlines() == [
        "scenemesh: The bank said no.",
        "Nothing was charged. `scenemesh billing portal` is where you change how you pay.",
    ]


async def test_a_code_says_what_it_gave(buyer: Command, billing: Billing) -> None:
    days = billing_pb2.Gift(plan_days=billing_pb2.PlanDays(plan="plans/pro", days=30))
    billing.answer(
        billing_pb2.RedeemPromoCodeRequest,
        billing_pb2.Redemption(promo_code="promoCodes/HI", gift=billing_pb2.Gift(credits=1000), subscription=FREE),
        billing_pb2.Redemption(promo_code="promoCodes/HO", gift=days, subscription=PRO),
        NotFound("There is no such code.", reason="PROMO_CODE_NOT_FOUND"),
    )
    credit, plan, unknown = [await buyer("billing", "redeem", code) for code in ("hi", "ho", "hum")]
    assert (credit.out, plan.out.splitlines()[0]) == ("HI gave you 1,000 credits.\n", "HO gave you 30 days of pro.")
    assert rows(plan.out)[0] == ["Plan", "pro, by the month"]
    assert (unknown.code, unknown.err) == (1, "scenemesh: There is no such code.\n")


async def test_failures_are_json_for_programs(buyer: Command, billing: Billing) -> None:
    billing.answer(billing_pb2.BuyCreditsRequest, NotFound("There is no such pack.", reason="PACK_NOT_FOUND"))
    ran = await buyer("billing", "buy", "huge", "--json")
    assert (ran.code, json.loads(ran.out)["error"]["reason"]) == (1, "PACK_NOT_FOUND")
