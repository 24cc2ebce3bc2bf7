"""Somebody who talks to characters over REST, as an app does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from tests.e2e.clients import JSON_TYPE, Answer, Json, Rest, requested
from tests.e2e.stack import Stack

# What differs from one refusal to the next.
REQUEST_INFO = "type.googleapis.com/google.rpc.RequestInfo"
# What is made of its body alone, and once for each `request_id` of a query.
MADE = ("conversations", "customCharacters")


@dataclass(frozen=True)
class File:
    """An answer that is no JSON of ours: its bytes as they are."""

    status: int
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Talker:
    """One user of a stack."""

    stack: Stack
    user: str
    role: str = "user"

    @property
    def token(self) -> str:
        return self.stack.token(user=self.user, role=self.role)

    @property
    def rest(self) -> Rest:
        return Rest(self.stack.url, self.token)

    async def ask(self, path: str, **query: Any) -> Json:
        """GET of something that there is."""
        return _whole(await self.rest.call("GET", f"/v1/{path}{_query(query)}"))

    async def do(self, path: str, **request: Any) -> Json:
        """POST that succeeds, and happens once; where a request has no `request_id` it is passed over."""
        once = {"request_id": str(uuid4())}
        if path in MADE:
            return _whole(await self.rest.call("POST", f"/v1/{path}{_query(once)}", request))
        return _whole(await self.rest.call("POST", f"/v1/{path}", {**once, **request}))

    async def change(self, name: str, mask: str, **values: Any) -> Json:
        """PATCH that succeeds, of the fields that the mask names."""
        return _whole(await self.rest.call("PATCH", f"/v1/{name}?update_mask={mask}", values))

    async def delete(self, name: str) -> Json:
        return _whole(await self.rest.call("DELETE", f"/v1/{name}"))

    async def stream(self, path: str, **request: Any) -> list[Json]:
        """Every event of a stream that a POST begins."""
        return await self.rest.log("POST", f"/v1/{path}", request)

    async def says(self, conversation: str, text: str = "Who are you?", **more: Any) -> list[Json]:
        """Every event of one turn."""
        return await self.stream(f"{conversation}/messages:send", text=text, **more)

    async def watched(self, message: str) -> list[Json]:
        """The log of an answer."""
        return await self.rest.log("GET", f"/v1/{message}:watch")

    async def messages(self, conversation: str, **query: Any) -> list[Json]:
        messages: list[Json] = (await self.ask(f"{conversation}/messages", page_size=100, **query))["messages"]
        return messages

    async def refused(self, verb: str, path: str, body: Any = None) -> tuple[int, str]:
        """The status and the reason of a call that does not come about."""
        answer = await self.rest.call(verb, f"/v1/{path}", body)
        return answer.status, answer.body["details"][0]["reason"]

    async def file(self, path: str, request: Json | None = None, **query: Any) -> File:
        """Bytes, as a browser saves them: a POST where there is a request."""
        url = f"{self.stack.url}/v1/{path}{_query(query)}"
        verb, body = ("GET", None) if request is None else ("POST", json.dumps(request).encode())
        async with requested(verb, url, body, {**self.rest.headers(), **(JSON_TYPE if body else {})}) as response:
            return File(response.status, response.headers["content-type"], await response.read())

    async def remaining(self, meter: str) -> int:
        meters = (await self.ask("users/me/quota"))["meters"]
        return next(int(one["remaining"]) for one in meters if one["meter"] == meter)


def logs(events: list[Json]) -> list[list[Json]]:
    """The logs of the answers that one stream carries, one after the other."""
    return [list(log) for _, log in groupby(events, key=lambda event: event["message"])]


def unnumbered(refusal: Json) -> Json:
    """An error's body without what tells one request from another."""
    return {**refusal, "details": [one for one in refusal["details"] if one["@type"] != REQUEST_INFO]}


def _whole(answer: Answer) -> Json:
    assert answer.status == 200, answer.body
    body: Json = answer.body
    return body


def _query(query: Mapping[str, Any]) -> str:
    told = {name: str(value).lower() if isinstance(value, bool) else value for name, value in query.items()}
    return f"?{urlencode(told)}" if told else ""
