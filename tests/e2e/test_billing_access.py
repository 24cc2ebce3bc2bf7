"""Whose money it is: everybody sees their own, operators may look, and nobody else learns that it exists."""

from uuid import uuid4

import pytest

from tests.e2e.buyer import Buyer, until
from tests.e2e.clients import Json, Rest
from tests.e2e.stack import Stack

SEEN = ("subscription", "invoices")
CHANGES = {
    "checkoutSessions": {
        "pack": "packs/small",
        "success_url": "https://app.example",
        "cancel_url": "https://app.example",
    },
    "portalSessions": {"return_url": "https://app.example"},
    "subscription:change": {"plan": "plans/pro", "interval": "INTERVAL_MONTH"},
    "subscription:cancel": {},
    "subscription:pause": {},
    "subscription:resume": {},
    "credits:buy": {"pack": "packs/small"},
    "promoCodes:redeem": {"code": "NOTHING"},
}
OPERATORS: tuple[tuple[str, str, Json | None], ...] = (
    ("GET", "/v1/webhookDeliveries", None),
    ("POST", f"/v1/webhookDeliveries/{uuid4()}:replay", {}),
    ("GET", "/v1/promoCodes", None),
    ("POST", "/v1/promoCodes", {"code": "GIFT", "gift": {"credits": "5"}}),
    ("POST", "/v1/billing:reconcile", {"validate_only": True, "user": "users/nobody"}),
)


def _rest(stack: Stack, user: str, role: str = "user") -> Rest:
    return Rest(stack.url, stack.token(user=user, role=role))


async def test_anothers_subscription_and_invoices_do_not_exist(stack: Stack) -> None:
    for path in SEEN:
        answers = [
            (await rest.call("GET", f"/v1/users/billing-alice/{path}")).status
            for rest in (
                _rest(stack, "billing-alice"),
                _rest(stack, "billing-mallory"),
                _rest(stack, "olga", "operator"),
                Rest(stack.url),
            )
        ]
        assert (path, answers) == (path, [200, 404, 200, 401])


@pytest.mark.parametrize("role", ["user", "operator"])
@pytest.mark.parametrize("path", CHANGES)
async def test_nobody_changes_anothers(stack: Stack, path: str, role: str) -> None:
    request = {**CHANGES[path], **({} if path == "portalSessions" else {"request_id": str(uuid4())})}
    answer = await _rest(stack, "billing-mallory", role).call("POST", f"/v1/users/billing-alice/{path}", request)
    assert answer.status == 404, answer.body


@pytest.mark.parametrize(("verb", "path", "wanted"), OPERATORS, ids=[path for _, path, _ in OPERATORS])
async def test_what_operators_do_is_for_operators(stack: Stack, verb: str, path: str, wanted: Json | None) -> None:
    callers = (Rest(stack.url), _rest(stack, "billing-mallory"))
    refused = [(await rest.call(verb, path, wanted)).status for rest in callers]
    assert refused == [401, 403]


async def _make(operator: Rest, code: str) -> None:
    """A new code. A request that is made again finds what the first one made, and no other."""
    wanted = {"code": code, "gift": {"credits": "5"}, "redemptions_max": "2"}
    made = await operator.call("POST", "/v1/promoCodes", wanted)
    if made.status == 409:
        codes = (await operator.read("/v1/promoCodes?page_size=100"))["promo_codes"]
        (kept,) = [one for one in codes if one["name"] == f"promoCodes/{code.upper()}"]
        assert (kept["gift"], kept["redemptions_max"], kept["redemptions"]) == ({"credits": "5"}, "2", "0")
    else:
        assert made.status == 200, made.body


async def test_a_code_gives_what_it_says_to_each_once(stack: Stack) -> None:
    olga = _rest(stack, "olga", "operator")
    code = f"E2E-{uuid4().hex[:8]}"
    await _make(olga, code)
    for user in ("code-ivy", "code-kim"):
        buyer = Buyer(stack, user)
        given = await buyer.change("promoCodes:redeem", code=code.lower())
        assert given["gift"] == {"credits": "5"}
        await until(buyer.credits, 5)
        again = await buyer.attempt("promoCodes:redeem", code=code)
        assert again.status == 400
    late = await Buyer(stack, "code-leo").attempt("promoCodes:redeem", code=code)
    assert (late.status, late.body["details"][0]["reason"]) == (400, "PROMO_CODE_USED_UP")
