"""A process that dies in mid-answer takes nothing with it."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import aiohttp

from tests.e2e.clients import Json, Rest, kind, said
from tests.e2e.stack import Stack, until_renewed

WATCHED_SECONDS_MAX = 120


async def test_a_killed_answer_keeps_its_text_ends_as_interrupted_and_is_paid(stack: Stack) -> None:
    await stack.provider.script({"answer": ["Elementary, my dear "], "delay_ms": 100, "until": asyncio.Event()})
    alice = Rest(stack.url, stack.token(user="interruption-alice"))
    conversation = await alice.conversation()
    seen: list[Json] = []
    killed: list[int] = []
    try:
        async for event in alice.events("POST", f"/v1/{conversation}/messages:send", {"text": "Well?"}):
            if "number" not in event:
                # It told that it broke off.
                break
            seen.append(event)
            if len(seen) == 8:
                killed = stack.pids("chat")
                for pid in killed:
                    os.kill(pid, signal.SIGKILL)
    except aiohttp.ClientError:
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

    quota = await alice.settled()
    assert (quota["used"], quota["remaining"]) == ("1", "4")
    await until_renewed(stack, killed)


async def _watched(rest: Rest, path: str) -> list[Json]:
    """Watches until there is a stream to watch: the process that takes over is still starting."""
    async with asyncio.timeout(WATCHED_SECONDS_MAX):
        while True:
            with suppress(aiohttp.ClientError):
                events = await rest.log("GET", path)
                if events and "failed" in events[-1]:
                    return events
            await asyncio.sleep(0.1)


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
