"""What a test, or a person at the operator's page, makes the pretend account do.

    GET  /_test/clock                           {"now": …, "ahead_seconds": …}
    POST /_test/clock                           {"advance_seconds": n}
    GET  /_test/faults
    POST /_test/faults                          what `faults.Faults` names
    GET  /_test/webhooks                        every attempt to deliver an event, newest first
    POST /_test/events/{id}/send                delivers it once more
    POST /_test/checkout/{id}/pay               {"card": "pm_card_visa"}: answers {"declined": null or the decline code}
    POST /_test/checkout/{id}/decline
    POST /_test/checkout/{id}/expire
    POST /_test/subscriptions/{id}/renew        its present period ends now
    POST /_test/subscriptions/{id}/fail         {"times": n}: so many next payments are declined
    POST /_test/subscriptions/{id}/cancel
    POST /_test/customers/{id}/card             {"card": "pm_card_chargeCustomerFail"}
    POST /_test/payments/{id}/refund            {"amount": cents, or all of it}; a charge, payment intent or invoice
    POST /_test/payments/{id}/dispute
    POST /_test/disputes/{id}/close             {"won": true}

A body is JSON. A form is taken, too: it is a button of the operator's page, which is shown again.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import web

from cli.local.stripe.acting import Pretend
from cli.local.stripe.cards import GOOD
from cli.local.stripe.refusal import Refusal

Values = Mapping[str, Any]
Act = Callable[[str, Values], Any]


class Control:
    """Does what it is told, and says what came of it."""

    def __init__(self, fake: Pretend) -> None:
        self._fake = fake

    def routes(self) -> list[web.RouteDef]:
        fake = self._fake
        acts: dict[str, Act] = {
            "/_test/clock": self._advance,
            "/_test/faults": self._set_faults,
            "/_test/events/{id}/send": lambda name, _: fake.send_again(name),
            "/_test/checkout/{id}/pay": lambda name, values: {"declined": fake.pay(name, values.get("card", GOOD))},
            "/_test/checkout/{id}/decline": lambda name, _: {"declined": fake.decline(name)},
            "/_test/checkout/{id}/expire": lambda name, _: fake.expire(name),
            "/_test/subscriptions/{id}/renew": lambda name, _: fake.renew(name),
            "/_test/subscriptions/{id}/fail": lambda name, values: fake.fail(name, _number(values, "times", 1)),
            "/_test/subscriptions/{id}/cancel": lambda name, _: fake.cancel(name),
            "/_test/customers/{id}/card": lambda name, values: fake.card(name, values.get("card", GOOD)),
            "/_test/payments/{id}/refund": lambda name, values: fake.refund(name, _number(values, "amount", 0) or None),
            "/_test/payments/{id}/dispute": lambda name, _: fake.dispute(name),
            "/_test/disputes/{id}/close": lambda name, values: fake.close_dispute(name, won=_true(values.get("won"))),
        }
        return [
            web.get("/_test/clock", self._shows(self._clock)),
            web.get("/_test/faults", self._shows(self._faults)),
            web.get("/_test/webhooks", self._shows(lambda: {"data": fake.webhooks})),
            *(web.post(path, self._does(act)) for path, act in acts.items()),
        ]

    def _advance(self, _: str, values: Values) -> Values:
        self._fake.advance(_number(values, "advance_seconds", 0))
        return self._clock()

    def _set_faults(self, _: str, values: Values) -> Values:
        self._fake.faults(**_faults(values))
        return self._faults()

    def _clock(self) -> dict[str, float]:
        clock = self._fake.account.clock
        return {"now": clock.now(), "ahead_seconds": clock.ahead_seconds}

    def _faults(self) -> dict[str, Any]:
        return asdict(self._fake.deliveries.faults)

    def _shows(self, what: Callable[[], Any]) -> Callable[[web.Request], Any]:
        async def show(_: web.Request) -> web.Response:
            return web.json_response(what())

        return show

    def _does(self, act: Act) -> Callable[[web.Request], Any]:
        async def do(request: web.Request) -> web.Response:
            is_button = request.content_type == "application/x-www-form-urlencoded"
            try:
                values = await _values(request, form=is_button)
                done = act(request.match_info.get("id", ""), values)
            except Refusal as refusal:
                return web.json_response(refusal.body, status=refusal.status)
            except (ValueError, TypeError) as fault:
                return web.json_response({"error": {"message": str(fault)}}, status=400)
            if is_button:
                raise web.HTTPSeeOther("/")
            return web.json_response({} if done is None else done)

        return do


async def _values(request: web.Request, *, form: bool) -> Values:
    """The body's values. Raises ValueError for what is no object."""
    if form:
        return {name: str(value) for name, value in (await request.post()).items()}
    values = await request.json() if request.can_read_body else {}
    if not isinstance(values, dict):
        raise ValueError("The body has to be a JSON object.")
    return values


def _number(values: Values, name: str, otherwise: int) -> int:
    return int(values.get(name) or otherwise)


def _true(value: object) -> bool:
    return value in (True, "true")


def _faults(values: Values) -> Values:
    """A form's words as what they mean."""
    words = {"true": True, "false": False}
    return {name: words.get(value, value) if isinstance(value, str) else value for name, value in values.items()}
