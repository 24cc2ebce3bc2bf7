"""The API over HTTP."""

import asyncio
from urllib.parse import parse_qsl

from aiohttp import web

from cli.local.stripe.api.answering import Answer, Answering, Request, request_id
from cli.local.stripe.api.handlers import Handler
from cli.local.stripe.api.paths import PATHS
from cli.local.stripe.delivering import Deliveries
from cli.local.stripe.events import API_VERSION
from cli.local.stripe.form import PARAMETERS_MAX
from cli.local.stripe.refusal import Refusal


class Api:
    """Takes requests off the wire, and breaks what it was told to break."""

    def __init__(self, answering: Answering, deliveries: Deliveries) -> None:
        self._answering = answering
        self._deliveries = deliveries

    def routes(self) -> list[web.RouteDef]:
        named = [web.route(one.method, one.path, self._route(one.handler)) for one in PATHS]
        return [*named, web.route("*", "/v1/{rest:.*}", self._unknown)]

    def _route(self, handler: Handler):  # type: ignore[no-untyped-def]
        async def answer(http: web.Request) -> web.StreamResponse:
            request = await _request(http)
            return _response(http, request, await self._answer(http, request, handler))

        return answer

    async def _answer(self, http: web.Request, request: Request, handler: Handler) -> Answer:
        refused = self._answering.authorize(request) or self._out_of_order()
        if refused is not None:
            return refused
        known = self._answering.begin(request)
        if known is not None:
            return known
        try:
            if self._deliveries.faults.api_delay_ms:
                await asyncio.sleep(self._deliveries.faults.api_delay_ms / 1000)
            answer = self._answering.execute(request, handler)
        finally:
            self._answering.end(request)
        if self._count("api_lose") and http.transport is not None:
            http.transport.abort()
        return answer

    def _out_of_order(self) -> Answer | None:
        if not self._count("api_refuse"):
            return None
        return Answer(503, Refusal("Stripe is out of order, as it was asked to be.", kind="api_error").body)

    def _count(self, fault: str) -> bool:
        """Whether the next request is to fail so; there is one fewer of them then."""
        left: int = getattr(self._deliveries.faults, fault)
        if left:
            self._deliveries.faults = self._deliveries.faults.changed({fault: left - 1})
        return left > 0

    async def _unknown(self, http: web.Request) -> web.StreamResponse:
        request = await _request(http)
        refused = self._answering.authorize(request)
        text = f"Unrecognized request URL ({http.method}: {http.path})."
        return _response(http, request, refused or Answer(404, Refusal(text).body))


async def _request(http: web.Request) -> Request:
    text = http.query_string if http.method in ("GET", "DELETE") else await http.text()
    return Request(
        method=http.method,
        path=http.path,
        identity=http.match_info.get("id", ""),
        pairs=tuple(parse_qsl(text, keep_blank_values=True, max_num_fields=PARAMETERS_MAX)),
        authorization=http.headers.get("Authorization", ""),
        idempotency_key=http.headers.get("Idempotency-Key"),
    )


def _response(http: web.Request, request: Request, answer: Answer) -> web.Response:
    headers = {"Request-Id": request_id(), "Stripe-Version": http.headers.get("Stripe-Version", API_VERSION)}
    if request.idempotency_key is not None:
        headers["Idempotency-Key"] = request.idempotency_key
    if answer.replayed:
        headers["Idempotent-Replayed"] = "true"
    return web.json_response(answer.body, status=answer.status, headers=headers)
