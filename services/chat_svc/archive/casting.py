"""Who the characters of a file are to whoever opens it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from datetime import datetime
from uuid import UUID, uuid5

from runtime.errors import FailedPrecondition, NotFound
from services.chat_svc.archive.story import Made, Story, Untold
from services.chat_svc.domain.character import CustomCharacter
from services.chat_svc.scenes.characters import Characters
from services.chat_svc.store.characters import CustomCharacters

# What the ids of characters that came in files are made of: the same file makes them once.
NAMESPACE = UUID("0d6a3b55-8f9b-5e0c-9a0e-1b7a6c4f2e93")

CAST_MAX = 8


@dataclass(frozen=True)
class Cast:
    """A conversation's characters, the first one first, by their names here, with what they are called.

    `renamed` are those that have another name in the file.
    """

    characters: Mapping[str, str]
    renamed: Mapping[str, str]

    def name(self, told: str) -> str:
        """The name here of a character of the file."""
        return self.renamed.get(told, told)


class Casting:
    """Asks for every character of a file once. `instead` is whom the person talked to where the file does not say."""

    def __init__(
        self,
        characters: Characters,
        custom: CustomCharacters,
        clock: Callable[[], datetime],
        user: str,
        instead: str,
    ) -> None:
        self._characters = characters
        self._custom = custom
        self._clock = clock
        self._user = user
        self._instead = instead
        self._called: dict[str, str | None] = {}

    async def cast(self, story: Story) -> Cast:
        """The characters of a story; Untold where one of them is nobody here."""
        told = _checked(story, self._instead)
        characters, renamed = dict[str, str](), dict[str, str]()
        for one in told:
            here, called = one, await self._known(one)
            if called is None and one in story.made:
                here = await self._made(story.title, one, story.made[one])
                called = story.made[one].display_name
            if called is None:
                here, called = await self._other(story, one)
            characters[here] = called
            renamed[one] = here
        return Cast(characters, renamed)

    async def _known(self, character: str) -> str | None:
        """What a character is called; None where nobody has that name."""
        if character not in self._called:
            try:
                self._called[character] = await self._characters.display_name(self._user, character)
            except NotFound:
                self._called[character] = None
        return self._called[character]

    async def _made(self, title: str, name: str, made: Made) -> str:
        """The name of a character that the file's person made up, and that this one has from now on as well."""
        digest = hashlib.sha256(json.dumps([name, *astuple(made)]).encode()).hexdigest()
        now = self._clock()
        own = CustomCharacter(
            self._user,
            uuid5(NAMESPACE, f"{self._user} {digest}"),
            made.display_name,
            made.title,
            made.persona,
            made.greeting,
            now,
            now,
        )
        if await self._known(own.name) is None:
            try:
                await self._custom.add(own)
            except FailedPrecondition as error:
                raise Untold(title, error.message) from None
            self._called[own.name] = own.display_name
        return own.name

    async def _other(self, story: Story, told: str) -> tuple[str, str]:
        """Who stands in for the only character of a story: its name, and what it is called."""
        if story.others:
            raise Untold(story.title, "One of its characters is not known here.")
        if not self._instead:
            raise Untold(story.title, "Its character is not known here: say with `character` who it is.")
        called = await self._known(self._instead)
        if called is None:
            raise Untold(story.title, "The character that you name is not known here.")
        return self._instead, called


def _checked(story: Story, instead: str) -> list[str]:
    cast = [story.character, *story.others] if story.character else [instead]
    if not cast[0]:
        raise Untold(story.title, "It names no character of ours: say with `character` whom it is with.")
    if len(cast) > CAST_MAX or len(set(cast)) < len(cast):
        raise Untold(story.title, f"It has more than {CAST_MAX} characters, or one of them twice.")
    return cast
