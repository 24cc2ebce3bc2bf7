"""What a stream asks for counts as often as calls do, in whichever stream and replica it is asked for."""

import pytest

from runtime import redis
from runtime.errors import ResourceExhausted
from scenemesh.chat.v1 import chat_pb2
from services.chat_svc.turning.rates import SEND, STOP, Rates, limits
from tests.service.chat_svc.replica import Replica, Surroundings
from tests.service.chat_svc.test_chat_converse import Stream, conversing, error

LIMIT, PER_MS = 60, 60_000
# Counts, and costs nothing.
NOTHING = chat_pb2.SendMessageRequest(text="")
SOMETHING = chat_pb2.SendMessageRequest(text="Who are you?")


async def _sent(stream: Stream, times: int) -> set[str]:
    """The reasons why nothing could be said."""
    reasons = set()
    for place in range(times):
        await stream.say(place, send=NOTHING)
        reasons.add((await stream.hear()).error.reason)
    return reasons


async def test_what_is_sent_in_streams_is_limited_and_the_stream_goes_on(
    first: Replica, second: Replica, around: Surroundings
) -> None:
    ada, elsewhere = first.person("rates-ada"), second.person("rates-ada")
    parent = await ada.conversation()
    async with conversing(ada) as one, conversing(elsewhere) as other, redis.connect(around.redis_url) as counted:
        for stream in (one, other):
            await stream.say(1, open=parent)
            assert (await stream.hear()).opened.name == parent
        assert await _sent(one, LIMIT // 2) | await _sent(other, LIMIT // 2) == {"INVALID_ARGUMENT"}
        left_ms = await counted.pttl("chat:rate:SendMessage:rates-ada")
        assert 0 < left_ms <= PER_MS
        for stream in (one, other):
            await stream.say(99, send=SOMETHING)
            refused = await stream.hear()
            wait_seconds = int(refused.error.metadata["retry_after_seconds"])
            assert (error(refused), refused.error.metadata["limit"]) == ((99, 8, "RATE_LIMITED"), str(LIMIT))
            assert 0 < wait_seconds <= PER_MS / 1000
            assert refused.error.message.endswith(f"Try again in {wait_seconds} s.")
        await counted.delete("chat:rate:SendMessage:rates-ada")
        await one.say(100, send=SOMETHING)
        assert (await one.hear_until("finished"))[-1].place == 100


async def test_everybody_has_their_own_limit_and_every_kind_of_request(first: Replica) -> None:
    ada, bob = first.person("rates-own-ada"), first.person("rates-own-bob")
    parents = [await ada.conversation(), await bob.conversation()]
    async with conversing(ada) as of_ada, conversing(bob) as of_bob:
        for stream, parent in zip((of_ada, of_bob), parents, strict=True):
            await stream.say(1, open=parent)
            assert (await stream.hear()).opened.name == parent
        assert await _sent(of_ada, LIMIT + 1) == {"INVALID_ARGUMENT", "RATE_LIMITED"}
        await of_bob.say(2, send=SOMETHING)
        assert (await of_bob.hear_until("finished"))[-1].place == 2
        missing = f"{parents[0]}/messages/00000000-0000-4000-8000-000000000000"
        await of_ada.say(3, stop=chat_pb2.StopMessageRequest(name=missing))
        assert error(await of_ada.hear()) == (3, 5, "MESSAGE_NOT_FOUND")


def test_the_limits_are_the_contracts() -> None:
    found = limits()
    told = {rpc: (found[rpc].requests, found[rpc].per.total_seconds()) for rpc in (SEND, STOP)}
    assert told == {SEND: (LIMIT, PER_MS / 1000), STOP: (120, 60.0)}


async def test_who_has_to_wait_a_moment_is_told_of_a_second_and_not_of_none(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def counted(*_: object) -> tuple[int, int]:
        return LIMIT + 1, 1

    async with redis.connect(around.redis_url) as client:
        rates = Rates(client, limits())
        monkeypatch.setattr(rates, "_counted", counted)
        with pytest.raises(ResourceExhausted) as refused:
            await rates.count("ada", SEND)
    assert refused.value.metadata["retry_after_seconds"] == "1"


async def test_nothing_is_counted_while_redis_is_away() -> None:
    async with redis.connect("unix:///nowhere/redis.sock") as away:
        rates = Rates(away, limits())
        assert [await rates.count("ada", SEND) for _ in range(LIMIT + 1)] == [None] * (LIMIT + 1)  # type: ignore[func-returns-value]
