"""What is said to a model.

First who the characters are, which is the same in every conversation with them; then what is kept of what there is no
room for; then the transcript, which only grows at its end; last who speaks now. So what two prompts of a conversation
share is a prefix, which providers keep in their caches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from services.chat_svc.domain import window
from services.chat_svc.domain.conversation import Message, Role, State
from services.chat_svc.domain.ending import BYTES_PER_TOKEN, estimated_tokens, tokens_of
from services.chat_svc.domain.scene import TOKENS_PER_TURN, Image, Persona, Prompt, Scene, Turn
from services.chat_svc.domain.wording import (
    BEGINNING,
    EARLIER,
    GO_ON,
    LEFT_OUT,
    PERSON,
    PICTURE,
    labels,
    line,
    said,
    spoken,
    suffix,
    system_part,
)

# Of the room beside the system part, for the summary and for pinned messages that the window leaves out.
SUMMARY_SHARE = 10
PINS_SHARE = 4
SHORTENED_TOKENS_MIN = 8
# A cut may part what is cleaned together, as a mark of a model's format is: so far before it, it counts no more.
PARTED_CHARACTERS_MAX = 64
SUMMARY_FENCE = ("<summary>", "</summary>")
PINS_FENCE = ("<pinned>", "</pinned>")

__all__ = [
    "Image",
    "Persona",
    "Prompt",
    "Scene",
    "Turn",
    "least_tokens",
    "outgrown",
    "prompt",
    "system_part",
    "was_said",
    "whole_turns",
]


def prompt(scene: Scene, tokens_max: int) -> Prompt:
    """The prompt for a scene, with as much of its history as fits into `tokens_max`.

    The oldest messages are left out whole. The system part and the person's message always stay.
    """
    return _Layout(scene, tokens_max).prompt()


def least_tokens(scene: Scene) -> int:
    """About how many tokens a prompt has at least: its history may be left out, but for what an answer follows on."""
    last = [one for one in scene.history if was_said(one)][-1:] if scene.text is None else []
    return prompt(replace(scene, history=last, summary="", pinned=()), 0).tokens


def outgrown(scene: Scene, tokens_max: int, most: int) -> Sequence[Message]:
    """The oldest messages, of `most` tokens, that should be summarised before there is no room for them any more."""
    layout = _Layout(scene, tokens_max)
    history = layout.history
    count = min(window.outgrown(layout.sizes, layout.room - layout.pins_tokens(0), most), len(history) - 1)
    older = whole_turns(history, count)
    return scene.history[: scene.history.index(older[-1]) + 1] if older else older


def whole_turns(messages: Sequence[Message], most: int) -> Sequence[Message]:
    """The oldest of several messages, at most so many; where it can be, what stays begins with the person."""
    ends = (place for place in range(min(most, len(messages) - 1), 0, -1) if messages[place].role is Role.USER)
    return messages[: next(ends, most)]


def was_said(message: Message) -> bool:
    """Whether a message has a text that counts."""
    return message.state is State.COMPLETE or (message.state is State.FAILED and message.text != "")


class _Layout:
    """A scene within a limit. What that leaves for the history does not depend on who speaks, nor on the history."""

    def __init__(self, scene: Scene, tokens_max: int) -> None:
        self._scene = scene
        self._labels = labels(scene.cast)
        self._system = system_part(scene.cast)
        self.history = [message for message in scene.history if was_said(message)]
        frame = [*(suffix(label) for label in self._labels.values()), GO_ON]
        fences = "\n".join((EARLIER, LEFT_OUT, *SUMMARY_FENCE, *PINS_FENCE, ""))
        reserved = max(map(estimated_tokens, frame)) + estimated_tokens(fences) + 2 * TOKENS_PER_TURN
        room = tokens_max - estimated_tokens(self._system) - reserved
        self._summary_max = max(room, 0) // SUMMARY_SHARE
        self.room = room - self._summary_max
        self._pins_max = max(room, 0) // PINS_SHARE
        self._lines: dict[int, tuple[str, int]] = {}

    @cached_property
    def _said(self) -> list[Turn]:
        """All that was said, and what is said now."""
        scene, turns = self._scene, [self._turn(message) for message in self.history]
        if scene.text is not None:
            turns.append(Turn(Role.USER, _shown(scene.text, pictures=bool(scene.images)), scene.images))
        return turns

    @cached_property
    def sizes(self) -> list[int]:
        """Tokens of every turn."""
        return [turn.tokens for turn in self._said]

    def pins_tokens(self, begin: int) -> int:
        """What the pinned messages from before the window take of the room."""
        return sum(map(_line_tokens, self._pins(begin, self._pins_max)))

    def prompt(self) -> Prompt:
        begin = window.beginning(self.sizes, self.room, self.pins_tokens)
        turns, left = self._said[begin:], self.room - sum(self.sizes[begin:])
        # Where what is said last has no room itself, nothing else has.
        if preface := self._preface(begin, left) if left >= 0 else "":
            turns.insert(0, Turn(Role.USER, preface))
        if turns and turns[0].role is Role.CHARACTER:
            turns.insert(0, Turn(Role.USER, BEGINNING))
        if len(self._scene.cast) > 1:
            turns.append(Turn(Role.USER, suffix(self._label(self._scene.speaker.character))))
        elif not turns or turns[-1].role is Role.CHARACTER:
            turns.append(Turn(Role.USER, GO_ON))
        return Prompt(self._system, _merged(turns))

    def _preface(self, begin: int, left: int) -> str:
        """What is told of what the window leaves out."""
        summary = _shortened(line(self._scene.summary), self._summary_max)
        # While there is room it does not count how much: the preface stays as it is for as long as its window does.
        pins = self._pins(begin, self._pins_max if self.pins_tokens(begin) <= left else left)
        parts = [f"{SUMMARY_FENCE[0]}{summary}{SUMMARY_FENCE[1]}"] if summary else []
        parts += ["\n".join((PINS_FENCE[0], *pins, PINS_FENCE[1]))] if pins else []
        left_out = [LEFT_OUT] if begin or self._scene.cut else []
        return "\n".join(([EARLIER, *parts] if parts else []) + left_out)

    def _pins(self, begin: int, left: int) -> list[str]:
        """Pinned messages from before the window, a line each, oldest first.

        Long ones are cut so that all stay; where there is no room even for their beginnings, the newest do.
        """
        outside = enumerate((*self._scene.pinned, *self.history[:begin]))
        told = [self._line(place, message) for place, message in outside if message.pinned]
        lines, sizes = [one for one, _ in told], [size for _, size in told]
        for first in range(len(lines)):
            rooms = shares(sizes[first:], left)
            pins = [_shortened(one, room - 1) for one, room in zip(lines[first:], rooms, strict=True)]
            if all(pins):
                return pins
        return []

    def _line(self, place: int, message: Message) -> tuple[str, int]:
        """As much of a pinned message as there can be room for, and about how many tokens the whole has."""
        if place not in self._lines:
            text, rest = _beginning(message.text, self._pins_max * BYTES_PER_TOKEN + PARTED_CHARACTERS_MAX)
            text = f"{self._who(message)}: {text}"
            self._lines[place] = text, tokens_of(len(text.encode()) + len(rest.encode())) + 1
        return self._lines[place]

    def _who(self, message: Message) -> str:
        return PERSON if message.role is Role.USER else self._label(message.character)

    def _turn(self, message: Message) -> Turn:
        text = _shown(message.text, pictures=bool(message.media))
        if message.role is Role.CHARACTER and len(self._scene.cast) > 1:
            text = spoken(self._label(message.character), text)
        shown = [self._scene.shown[one] for one in message.media if one in self._scene.shown]
        return Turn(message.role, text, tuple(shown))

    def _label(self, character: str) -> str:
        return self._labels.get(character, "Somebody else")


def _shown(text: str, *, pictures: bool) -> str:
    """That there was a picture is told even where it is not shown again."""
    text = said(text)
    if pictures:
        return f"{text}\n{PICTURE}"
    # Providers refuse a turn of nothing.
    return text if text.strip() else "…"


def shares(sizes: Sequence[int], room: int) -> list[int]:
    """How much of a room each gets: what it needs, or an equal share of what those leave that need less."""
    given = [0] * len(sizes)
    for place, index in enumerate(sorted(range(len(sizes)), key=sizes.__getitem__)):
        given[index] = min(sizes[index], room // (len(sizes) - place))
        room -= given[index]
    return given


def _beginning(text: str, characters: int) -> tuple[str, str]:
    """A text as a line, and nothing; of a long text, at least so many characters of the line, and the rest as it is."""
    taken = characters + characters // 4
    cleaned = line(text[:taken])
    while len(cleaned) < characters and taken < len(text):
        # What no reader sees may be most of a text.
        taken *= 4
        cleaned = line(text[:taken])
    return cleaned, text[taken:]


def _line_tokens(text: str) -> int:
    """Of a line with its end."""
    return estimated_tokens(text) + 1


def _shortened(text: str, tokens: int) -> str:
    """As much of a text as has so many tokens; nothing where that would be next to nothing."""
    if estimated_tokens(text) <= tokens:
        return text
    if tokens < SHORTENED_TOKENS_MIN:
        return ""
    return text.encode()[: tokens * BYTES_PER_TOKEN - len("…".encode())].decode(errors="ignore") + "…"


def _merged(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """The turns, those of the same side that follow on each other as one."""
    merged: list[Turn] = []
    for turn in turns:
        if merged and merged[-1].role is turn.role:
            before = merged.pop()
            turn = Turn(turn.role, f"{before.text}\n\n{turn.text}", (*before.images, *turn.images))
        merged.append(turn)
    return tuple(merged)
