"""`scenemesh quota` on a real ledger: what a person sees of it, and what an operator does."""

import asyncio
import json

from tests.e2e.clients import Json, Rest
from tests.e2e.stack import Stack


async def _run(stack: Stack, *arguments: str) -> Json:
    ran = await asyncio.to_thread(stack.run, "quota", *arguments, "--json")
    answer: Json = json.loads(ran.stdout)
    return answer


async def test_a_person_sees_what_was_used_and_chooses_a_time_zone(stack: Stack) -> None:
    ada = Rest(stack.url, stack.token(user="quota-ada"))
    await ada.turn(await ada.conversation())
    await ada.settled()
    then = (await _run(stack, "entries", "--user", "quota-ada", "--all"))["entries"]
    assert [entry["kind"] for entry in then] == ["ENTRY_KIND_CHARGE", "ENTRY_KIND_ALLOWANCE"]
    assert (await _run(stack, "entries", "--user", "quota-ada", "--source", "promo"))["entries"] == []

    berlin = await _run(stack, "time-zone", "Europe/Berlin", "--user", "quota-ada")
    assert (berlin["time_zone"], berlin["meters"][0]["remaining"]) == ("Europe/Berlin", "4")
    assert berlin["meters"][0]["local_reset_time"][-6:] in ("+01:00", "+02:00")

    before = await _run(stack, "--user", "quota-ada", "--at", then[-1]["create_time"])
    assert before["meters"][0]["used"] == "0"


async def test_an_operator_sees_a_persons_quota_and_gives_a_hold_back(stack: Stack) -> None:
    over = asyncio.Event()
    await stack.provider.script({"answer": ["So "], "delay_ms": 100, "until": over})
    bob = Rest(stack.url, stack.token(user="quota-bob"))
    conversation = await bob.conversation()
    async for _ in bob.events("POST", f"/v1/{conversation}/messages:send", {"text": "Who are you?"}):
        break
    assert (await _run(stack, "--of", "quota-bob"))["meters"][0]["held"] == "1"
    (hold,) = (await _run(stack, "holds", "quota-bob", "--only", "held"))["holds"]
    voided = await _run(stack, "void", hold["name"], "--reason", "A test.", "--user", "quota-olga")
    assert (voided["state"], voided["voided_by"], voided["void_reason"]) == (
        "HOLD_STATE_VOIDED",
        "users/quota-olga",
        "A test.",
    )
    assert (await _run(stack, "--of", "quota-bob"))["meters"][0]["remaining"] == "5"
    over.set()


async def test_a_change_is_told_to_who_watches(stack: Stack) -> None:
    eve = Rest(stack.url, stack.token(user="quota-eve"))
    conversation = await eve.conversation()
    remaining: list[str] = []
    async with asyncio.timeout(120):
        async for event in eve.events("GET", "/v1/users/me/quota:watch"):
            if not remaining:
                await eve.turn(conversation)
            remaining.append(event["quota"]["meters"][0]["remaining"])
            if event["quota"]["meters"][0]["used"] == "1":
                break
    assert (remaining[0], remaining[-1]) == ("5", "4")
