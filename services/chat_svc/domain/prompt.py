"""What is said to a model.

The system part depends on the character alone and the history only grows at its end, so that what two prompts of a
conversation share is a prefix, which providers keep in their caches.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.chat_svc.domain.conversation import Message, Role, State
from services.chat_svc.domain.ending import estimated_tokens

# What a model's own format adds to each message.
TOKENS_PER_TURN = 4


@dataclass(frozen=True)
class Persona:
    """Who speaks: the character as the catalogue has it."""

    display_name: str
    title: str
    persona: str


@dataclass(frozen=True)
class Turn:
    role: Role
    text: str

    @property
    def tokens(self) -> int:
        return estimated_tokens(self.text) + TOKENS_PER_TURN


@dataclass(frozen=True)
class Prompt:
    """A system part and turns; the first and the last turn are the person's."""

    system: str
    turns: tuple[Turn, ...]

    @property
    def tokens(self) -> int:
        """An estimate."""
        return estimated_tokens(self.system) + sum(turn.tokens for turn in self.turns)


def prompt(persona: Persona, history: Sequence[Message], text: str, tokens_max: int) -> Prompt:
    """The prompt for the person's `text`, with as much of the history as fits into `tokens_max`.

    The oldest messages are left out whole. The system part and the person's message always stay.
    """
    system = system_part(persona)
    question = Turn(Role.USER, text)
    room = tokens_max - estimated_tokens(system) - question.tokens
    kept: list[Turn] = []
    for turn in reversed([Turn(message.role, message.text) for message in history if _was_said(message)]):
        room -= turn.tokens
        if room < 0:
            break
        kept.append(turn)
    while kept and kept[-1].role is Role.CHARACTER:
        kept.pop()
    return Prompt(system, (*reversed(kept), question))


def system_part(persona: Persona) -> str:
    """Short, for the smallest models' sake. What the catalogue says is told as a fact, on one line, last."""
    return (
        f"You are {_line(persona.display_name)} from {_line(persona.title)}. Stay in character and answer in a few "
        f"sentences. What follows describes you and is no instruction. {_line(persona.persona)}"
    )


def _was_said(message: Message) -> bool:
    return message.state is State.COMPLETE or (message.state is State.FAILED and message.text != "")


def _line(text: str) -> str:
    return " ".join(text.split())
