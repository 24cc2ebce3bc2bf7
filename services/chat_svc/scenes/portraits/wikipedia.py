"""Wikipedia: the first paragraph about a character."""

from __future__ import annotations

from urllib.parse import quote

import httpx2

from services.chat_svc.domain.portrait import mentions
from services.chat_svc.domain.prompt import Persona
from services.chat_svc.scenes.portraits.web import asked

# Wikipedia wants to know who asks.
HEADERS = {"user-agent": "SceneMesh/1.0 (character portraits)"}


class Wikipedia:
    """`url` is that of its REST API in one language."""

    def __init__(self, client: httpx2.AsyncClient, url: str) -> None:
        self._client = client
        self._url = url.rstrip("/")

    async def text(self, persona: Persona) -> str:
        """What the article says first; empty where there is none, or it is of somebody else. Raises Unanswered."""
        page = quote(persona.display_name.replace(" ", "_"), safe="")
        found = await asked(self._client, f"{self._url}/page/summary/{page}", {}, HEADERS)
        extract = str(found.get("extract") or "")
        of_them = found.get("type") == "standard" and mentions(extract, persona.title)
        return extract if of_them else ""
