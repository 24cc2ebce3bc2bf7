"""The pages over HTTP."""

from pathlib import Path

from aiohttp import web

from cli.local.stripe import changing, checkout, collecting
from cli.local.stripe.acting import Pretend
from cli.local.stripe.cards import CARDS, GOOD
from cli.local.stripe.pages import account, buying, operator, statements
from cli.local.stripe.pages.html import page, tag
from cli.local.stripe.params import Params
from cli.local.stripe.portal import LIFE_SECONDS
from cli.local.stripe.refusal import Refusal
from cli.local.stripe.schedules import release
from cli.local.stripe.store import Object

STYLE = Path(__file__).with_name("style.css")
# Styles of its own and nothing else, whatever a name or an address might smuggle in. Where a form may lead is left
# open: after paying it leads to the shop.
POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Pages:
    """What buyers see, and what the operator of the laptop does."""

    def __init__(self, fake: Pretend) -> None:
        self._fake = fake
        self._account = fake.account

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.operator),
            web.get("/style.css", self.style),
            web.get("/pay/{id}", self.checkout),
            web.post("/pay/{id}", self.pay),
            web.post("/pay/{id}/code", self.code),
            web.get("/portal/{id}", self.portal),
            web.post("/portal/{id}/card", self.card),
            web.post("/portal/{id}/{subscription}/{act:cancel|resume}", self.change),
            web.get("/invoice/{id}", self.invoice),
            web.post("/invoice/{id}/pay", self.pay_invoice),
            web.get("/receipt/{id}", self.receipt),
        ]

    async def operator(self, _: web.Request) -> web.Response:
        return _html(operator.show(self._fake))

    async def style(self, _: web.Request) -> web.Response:
        return web.Response(text=STYLE.read_text(), content_type="text/css")

    async def checkout(self, request: web.Request) -> web.Response:
        session = self._find("checkout.session", request)
        return _html(buying.show(self._account, session, request.query.get("problem", "")))

    async def pay(self, request: web.Request) -> web.Response:
        session = self._find("checkout.session", request)
        card = str((await request.post()).get("card", GOOD))
        if session["status"] != "open" or card not in CARDS:
            raise web.HTTPSeeOther(f"/pay/{session['id']}")
        declined = self._fake.pay(session["id"], card)
        if declined is not None:
            raise web.HTTPSeeOther(f"/pay/{session['id']}?problem={declined}")
        raise web.HTTPSeeOther(checkout.leads_to(session))

    async def code(self, request: web.Request) -> web.Response:
        session = self._find("checkout.session", request)
        text = str((await request.post()).get("code", ""))
        try:
            with self._account.store.transaction():
                used = checkout.use_code(self._account, session["id"], text)
        except Refusal:
            used = False
        raise web.HTTPSeeOther(f"/pay/{session['id']}" + ("" if used else "?problem=code"))

    async def portal(self, request: web.Request) -> web.Response:
        return _html(account.show(self._account, self._portal(request)))

    async def card(self, request: web.Request) -> web.Response:
        session = self._portal(request)
        card = str((await request.post()).get("card", GOOD))
        if card in CARDS:
            self._fake.card(session["customer"], card)
            self._pay_open(session["customer"])
        raise web.HTTPSeeOther(f"/portal/{session['id']}")

    async def change(self, request: web.Request) -> web.Response:
        session = self._portal(request)
        subscription = self._account.store.find("subscription", request.match_info["subscription"])
        if subscription is not None and subscription["customer"] == session["customer"]:
            wanted = "true" if request.match_info["act"] == "cancel" else "false"
            with self._account.store.transaction():
                if subscription["schedule"] is not None:
                    release(self._account, subscription["schedule"])
                changing.update(self._account, subscription["id"], Params({"cancel_at_period_end": wanted}))
        raise web.HTTPSeeOther(f"/portal/{session['id']}")

    async def invoice(self, request: web.Request) -> web.Response:
        return _html(statements.invoice(self._account, self._find("invoice", request)))

    async def pay_invoice(self, request: web.Request) -> web.Response:
        invoice = self._find("invoice", request)
        with self._account.store.transaction():
            collecting.collect(self._account, invoice["id"], buyer_is_there=True)
        raise web.HTTPSeeOther(f"/invoice/{invoice['id']}")

    async def receipt(self, request: web.Request) -> web.Response:
        return _html(statements.receipt(self._find("charge", request)))

    def _find(self, kind: str, request: web.Request) -> Object:
        found = self._account.store.find(kind, request.match_info["id"])
        if found is None or found.get("status") == "draft":
            raise _not_found()
        return found

    def _portal(self, request: web.Request) -> Object:
        session = self._find("billing_portal.session", request)
        if session["created"] + LIFE_SECONDS < self._account.now():
            raise _not_found()
        return session

    def _pay_open(self, customer: str) -> None:
        """A new card pays what the old one did not."""
        for invoice in self._account.store.all("invoice"):
            if invoice["customer"] == customer and invoice["next_payment_attempt"] is not None:
                with self._account.store.transaction():
                    collecting.collect(self._account, invoice["id"])


def _html(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html", headers=HEADERS)


def _not_found() -> web.HTTPNotFound:
    text = tag("p", "There is no such page, or it is over.")
    return web.HTTPNotFound(text=page("Not found", tag("section", text)), content_type="text/html", headers=HEADERS)
