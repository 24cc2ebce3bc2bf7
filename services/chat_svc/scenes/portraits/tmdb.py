"""The Movie Database: what a film or a series is about."""

from __future__ import annotations

import httpx2
from pydantic import SecretStr

from services.chat_svc.domain.portrait import alike
from services.chat_svc.domain.prompt import Persona
from services.chat_svc.scenes.portraits.web import asked

# A key of the newer kind is a token, and much longer.
KEY_CHARACTERS_MAX = 64


class Tmdb:
    """`key` is one of the API's v3, or a token of its v4."""

    def __init__(self, client: httpx2.AsyncClient, url: str, key: SecretStr) -> None:
        self._client = client
        self._url = url.rstrip("/")
        self._key = key.get_secret_value()

    async def text(self, persona: Persona) -> str:
        """What the character's title is about; empty where it has no such title. Raises Unanswered."""
        parameters, headers = {"query": persona.title, "include_adult": "false"}, {}
        if len(self._key) > KEY_CHARACTERS_MAX:
            headers["authorization"] = f"Bearer {self._key}"
        else:
            parameters["api_key"] = self._key
        found = await asked(self._client, f"{self._url}/search/multi", parameters, headers)
        results = found.get("results")
        for one in results if isinstance(results, list) else ():
            named = isinstance(one, dict) and (one.get("title") or one.get("name"))
            if named and one.get("media_type") in ("movie", "tv") and alike(str(named), persona.title):
                return str(one.get("overview") or "")
        return ""
