"""Scenes for tests: a cast, and conversations that grow."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random
from uuid import UUID

from services.chat_svc.domain.conversation import Message, Role, State
from services.chat_svc.domain.prompt import Persona, Scene
from tests.unit.chat_svc.messages import ANSWER, QUESTION

HOLMES = Persona("Sherlock Holmes", "Sherlock", "A consulting detective.", "characters/sherlock-holmes")
WATSON = Persona("John Watson", "Sherlock", "A doctor.", "characters/john-watson")
HUDSON = Persona("Mrs Hudson", "Sherlock", "Not a housekeeper.", "characters/mrs-hudson")

WORDS = ("Elementary", "the", "game", "is", "afoot", "прелестно", "moor", "hound", "🔍", "\n", "Baker Street", "?")


def asked(text: str) -> Message:
    return replace(QUESTION, text=text)


def answered(text: str, by: Persona = HOLMES, state: State = State.COMPLETE) -> Message:
    return replace(ANSWER, text=text, character=by.character, state=state)


@dataclass
class Growing:
    """A conversation that grows by rules and chance: the same seed grows the same one.

    Every so often somebody pins a message, an answer fails, or the end is said again in another way.
    """

    seed: int
    cast: tuple[Persona, ...]
    history: list[Message] = field(default_factory=list)

    def scenes(self, turns: int) -> Iterator[Scene]:
        """The scene of every answer, one after the other."""
        random = Random(self.seed)
        if random.random() < 0.3:
            self._add(random, Role.CHARACTER, self.cast[0])
        for _ in range(turns):
            if len(self.history) > 2 and random.random() < 0.1:
                del self.history[-2:]
            text: str | None = _text(random)
            for speaker in random.choices(self.cast, k=random.randint(1, len(self.cast))):
                yield Scene(speaker, self.cast, tuple(self.history), text)
                if text is not None:
                    self._add(random, Role.USER, None, text)
                text = None
                self._add(random, Role.CHARACTER, speaker)

    def _add(self, random: Random, role: Role, by: Persona | None, text: str = "") -> None:
        state = State.FAILED if role is Role.CHARACTER and random.random() < 0.1 else State.COMPLETE
        said = text or ("" if state is State.FAILED and random.random() < 0.5 else _text(random))
        message = replace(
            QUESTION,
            id=UUID(int=random.getrandbits(128)),
            position=len(self.history) + 1,
            role=role,
            text=said,
            state=state,
            character=by.character if by else "",
            pinned=random.random() < 0.05,
        )
        self.history.append(message)


def _text(random: Random) -> str:
    return " ".join(random.choices(WORDS, k=random.choice((1, 5, 20, 120))))
