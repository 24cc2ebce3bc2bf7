"""Nothing that somebody says, pays with or proves themselves by is in a log, a trace, a metric or an error."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from cli import issuer
from tests.e2e.buyer import Buyer, until
from tests.e2e.clients import Json, Rest, buf_curl
from tests.e2e.collector import Collector, collecting
from tests.e2e.pretend import Stripe
from tests.e2e.stack import Stack, running

CHAT = "scenemesh.chat.v1.ChatService"
USER, EMAIL = "secrets-sue", "sue@private.example"
PROMPT, ANSWER, QUERY, TITLE = "prompt-4a1f-of-mine", "answer-77c2-of-its", "query-91b3-of-mine", "title-0c5d-of-mine"
# Each turn of these fails in another way.
BEHAVIOURS: tuple[Json, ...] = (
    {"answer": [ANSWER]},
    {"answer": [ANSWER, "x"], "cut_after": 1},
    {"answer": [ANSWER, "x"], "malformed_after": 1},
    {"answer": [ANSWER, "x"], "error_after": 1},
    {"status": 400},
)


@dataclass(frozen=True)
class Watched:
    """A stack whose every span and metric is kept."""

    stack: Stack
    collector: Collector

    def logs(self) -> dict[str, str]:
        """Every log, Envoy's accesses among them."""
        files = (self.stack.state / "logs").iterdir()
        logs = {path.name: path.read_text(errors="replace") for path in files}
        return {**logs, "up": "".join(self.stack.said)}


@pytest.fixture(scope="module")
async def watched(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    async with (
        collecting() as collector,
        running(tmp_path_factory.mktemp("secrets"), environment=collector.environment) as stack,
    ):
        yield Watched(stack, collector)


def _token(stack: Stack) -> str:
    """A token of somebody with an address."""
    ours = issuer.read(stack.state)
    now = datetime.now(UTC)
    claims = {"iss": issuer.ISSUER, "aud": issuer.AUDIENCE, "sub": USER, "role": "operator", "email": EMAIL}
    lifetime = {"iat": now, "exp": now + timedelta(hours=1)}
    return jwt.encode({**claims, **lifetime}, ours.key, issuer.ALGORITHM, headers={"kid": ours.key_id})


async def _errors(rest: Rest, conversation: str, token: str) -> list[str]:
    """What every call that is refused is told."""
    unknown = conversation[:-4] + "0000"
    refused = [
        await rest.call("POST", f"/v1/{conversation}/messages:send", {"text": PROMPT * 500}),
        await rest.call("POST", f"/v1/{conversation}/messages:send", {"text": [PROMPT], "nonsense": ANSWER}),
        await rest.call("POST", f"/v1/{conversation}/messages:send", {"text": PROMPT, "choice": {"model": "no-such"}}),
        await rest.call("POST", f"/v1/{unknown}/messages:send", {"text": PROMPT}),
        await rest.call("GET", f"/v1/{unknown}?access_token={token}&query={QUERY}"),
        await Rest(rest.url, token[:-4]).call("GET", f"/v1/{conversation}"),
        await rest.call("POST", "/v1/users/me/credits:buy", {"pack": "packs/none", "request_id": EMAIL}),
    ]
    assert [one.status for one in refused] == [400, 400, 404, 404, 400, 401, 400]
    over_grpc = await buf_curl(
        rest.url, "grpc", f"{CHAT}/SendMessage", {"parent": conversation, "text": PROMPT * 500}, token
    )
    assert over_grpc.error is not None
    return [str(one.body) + str(dict(one.headers)) for one in refused] + [str(over_grpc.error)]


async def test_no_log_no_trace_no_metric_and_no_error_has_what_was_said_or_shown(watched: Watched) -> None:
    stack, collector = watched.stack, watched.collector
    token = _token(stack)
    sue = Rest(stack.url, token)
    conversation = await sue.conversation()
    for behaviour in BEHAVIOURS:
        await stack.provider.script(behaviour)
        await sue.turn(conversation, PROMPT)
    assert (await sue.call("GET", f"/v1/suggest?query={QUERY}")).status == 200
    assert (await sue.call("GET", f"/v1/messages:search?query={QUERY}")).status == 200
    assert (await sue.call("PATCH", f"/v1/{conversation}", {"display_name": TITLE})).status == 200
    errors = await _errors(sue, conversation, token)
    buyer = Buyer(stack, "secrets-buyer")
    await Stripe(stack).pay(await buyer.checkout(pack="packs/small"))
    await until(lambda: _has_credits(buyer), True)
    async with asyncio.timeout(60):
        while collector.spans.count(f"{CHAT}/SendMessage") < len(BEHAVIOURS) or not collector.measured:
            await asyncio.sleep(0.1)
    secrets = (PROMPT, ANSWER, QUERY, TITLE, EMAIL, token, *token.split(".")[1:], "BEGIN ", "whsec_", "sk_test_")
    places = {**watched.logs(), "errors": "".join(errors), "telemetry": "".join(collector.told)}
    assert {
        name for name in ("chat", "envoy", "billing") if not any(place.startswith(name) for place in places)
    } == set()
    assert {(name, secret) for name, text in places.items() for secret in secrets if secret in text} == set()


async def _has_credits(buyer: Buyer) -> bool:
    return await buyer.credits() > 0
