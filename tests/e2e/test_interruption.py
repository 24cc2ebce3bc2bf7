"""A process that dies in mid-answer takes nothing with it."""

import asyncio
import os
import signal
from pathlib import Path

from tests.e2e.clients import Json, Rest, kind, said
from tests.e2e.stack import Stack


async def test_a_killed_answer_keeps_its_text_ends_as_interrupted_and_is_paid(stack: Stack) -> None:
    await stack.provider.script({"answer": ["Elementary, ", "my ", "dear ", *["fellow "] * 200], "delay_ms": 100})
    alice = Rest(stack.url, stack.token(user="interruption-alice"))
    conversation = await alice.conversation()
    seen: list[Json] = []
    try:
        async for event in alice.events("POST", f"/v1/{conversation}/messages:send", {"text": "Well?"}):
            seen.append(event)
            if len(seen) == 8:
                for pid in stack.pids("chat"):
                    os.kill(pid, signal.SIGKILL)
    except Exception:
        pass
    assert len(seen) >= 8
    assert kind(seen[-1]) == "delta"

    last = int(seen[-1]["number"])
    rest = await _watched(alice, f"/v1/{seen[0]['message']}:watch?after={last}")
    assert [int(event["number"]) for event in rest] == list(range(last + 1, last + 1 + len(rest)))
    failed = rest[-1]["failed"]
    assert failed["reason"] == "FAILURE_REASON_INTERRUPTED"
    assert failed["message"]["text"] == said(seen + rest)
    assert (failed["receipt"]["charged"], failed["receipt"]["usage"]["estimated"]) == ("1", True)

    async with asyncio.timeout(20):
        while (quota := await _chat(alice))["held"] != "0":
            await asyncio.sleep(0.1)
    assert (quota["used"], quota["remaining"]) == ("1", "4")


async def _watched(rest: Rest, path: str) -> list[Json]:
    """Watches until there is a stream to watch: the process that takes over is still starting."""
    async with asyncio.timeout(40):
        while True:
            answer = await rest.call("GET", path.split(":watch")[0].rsplit("/messages/", 1)[0])
            if answer.status == 200:
                events = [event async for event in rest.events("GET", path)]
                if events and kind(events[-1]) == "failed":
                    return events
            await asyncio.sleep(0.1)


async def _chat(rest: Rest) -> Json:
    meters = (await rest.call("GET", "/v1/users/me/quota")).body["meters"]
    return next(meter for meter in meters if meter["meter"] == "chat")


def test_nothing_secret_is_logged(stack: Stack) -> None:
    """Runs last in this file: by now every log has lines of turns, failures and refusals."""
    secrets = ("eyJ", "Elementary, my dear", "BEGIN PRIVATE KEY", "BEGIN EC PRIVATE KEY")
    told = {
        (path.name, secret)
        for path in Path(stack.state / "logs").iterdir()
        for secret in secrets
        if secret in path.read_text(errors="replace")
    }
    assert told == set()
