"""Every event of an answer has an id over REST, wherever events are streamed, and a reader who gives one goes on."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from tests.e2e.clients import JSON_TYPE, Json, Rest, requested, said
from tests.e2e.stack import Stack

ANSWER = ['\n\ndata: {"message":"x","number":"7"}\n\n', "id: 9\n", *(f"word {number} " for number in range(10))]
TEXT = "".join(ANSWER)


async def _stream(
    rest: Rest, verb: str, path: str, body: Json | None = None, headers: Mapping[str, str] | None = None
) -> list[tuple[str, Any]]:
    """Each event's id line and data; every event has these two lines and no other."""
    headers = {**rest.headers(), **(JSON_TYPE if body is not None else {}), **(headers or {})}
    # What is sent twice is said once.
    sent = None if body is None else json.dumps({"request_id": str(uuid4()), **body}).encode()
    async with requested(verb, rest.url + path, sent, headers) as response:
        raw = await response.text()
    assert (response.status, response.content_type, raw[-2:]) == (200, "text/event-stream", "\n\n"), raw
    events = [event.split("\ndata: ") for event in raw.removesuffix("\n\n").split("\n\n")]
    return [(line, json.loads(data)) for line, data in events]


def _numbered(events: list[tuple[str, Any]]) -> list[str]:
    return [f"id: {event['number']}" for _, event in events]


async def test_every_event_has_an_id_wherever_events_are_streamed(stack: Stack) -> None:
    ada = Rest(stack.url, stack.token(user="event-ids"))
    conversation = await ada.conversation()
    for _ in range(3):
        await stack.provider.script({"answer": ANSWER})
    sent = await _stream(ada, "POST", f"/v1/{conversation}/messages:send", {"text": "Who are you?"})
    answer = sent[0][1]["message"]
    asked = sent[0][1]["started"]["user_message"]["name"]
    watched = await _stream(ada, "GET", f"/v1/{answer}:watch")
    again = await _stream(ada, "POST", f"/v1/{answer}:regenerate", {})
    rewritten = await _stream(ada, "POST", f"/v1/{asked}:rewrite", {"text": "Who else?"})
    for events in (sent, watched, again, rewritten):
        assert said([event for _, event in events]) == TEXT
        assert [line for line, _ in events] == _numbered(events)
        assert [line for line, _ in events] == [f"id: {number}" for number in range(1, len(events) + 1)]
    assert watched == sent


async def test_a_reader_who_comes_back_gets_what_came_after_the_last_id(stack: Stack) -> None:
    ada = Rest(stack.url, stack.token(user="event-ids-back"))
    conversation = await ada.conversation()
    await stack.provider.script({"answer": ANSWER})
    sent = await _stream(ada, "POST", f"/v1/{conversation}/messages:send", {"text": "Who are you?"})
    watch = f"/v1/{sent[0][1]['message']}:watch"
    for last in (1, 3, len(sent) - 1):
        seen = {"last-event-id": str(last)}
        assert await _stream(ada, "GET", watch, headers=seen) == sent[last:]
        assert await _stream(ada, "GET", f"{watch}?after={last}") == sent[last:]
    for after, last in ((4, 2), (2, 4)):
        assert await _stream(ada, "GET", f"{watch}?after={after}", headers={"last-event-id": str(last)}) == sent[4:]
    assert await _stream(ada, "GET", watch, headers={"last-event-id": "0"}) == sent


async def test_what_is_no_id_is_refused_by_name(stack: Stack) -> None:
    ada = Rest(stack.url, stack.token(user="event-ids-garbage"))
    events = await ada.turn(await ada.conversation())
    for last in ("x", "-1", "1.0", "1 2", "9" * 19, "1,2"):
        refused = await ada.call("GET", f"/v1/{events[0]['message']}:watch", headers={"last-event-id": last})
        reasons = [one["reason"] for one in refused.body["details"] if "reason" in one]
        fields = [fault["field"] for one in refused.body["details"] for fault in one.get("field_violations", ())]
        assert (last, refused.status, reasons, fields) == (last, 400, ["INVALID_ARGUMENT"], ["last-event-id"])
