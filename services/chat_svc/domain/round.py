"""Rounds of a group: who is to speak in one, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.chat_svc.domain.conversation import Conversation, Message, next_id
from services.chat_svc.domain.routing import Choice


@dataclass(frozen=True)
class Plan:
    """What a round is from its beginning: the `speakers` answer one after another, whoever makes their answers.

    It may cost `credits_max` units, None where that is not limited. `sees` says that the person shows something, which
    each of the speakers is to see.
    """

    speakers: tuple[str, ...]
    choice: Choice
    credits_max: int | None
    pause_seconds: int
    sees: bool = False

    @classmethod
    def of(cls, conversation: Conversation, speakers: tuple[str, ...], choice: Choice, *, sees: bool) -> Plan:
        group = conversation.group
        credits_max, pause_seconds = (group.credits_max, group.pause_seconds) if group else (None, 0)
        return cls(speakers, choice, credits_max, pause_seconds, sees)


@dataclass
class Round:
    """How far a round is: the speaker in this `place` of the plan has the turn, and it has cost `charged` units.

    One that is `kept` can be gone on with by others.
    """

    plan: Plan
    place: int = 0
    charged: int = 0
    kept: bool = False

    @property
    def speaker(self) -> str:
        """Who has the turn."""
        return self.plan.speakers[self.place]

    @property
    def has_more(self) -> bool:
        """Whether somebody is to speak after this one."""
        return self.place + 1 < len(self.plan.speakers)

    @property
    def units_left(self) -> int | None:
        """Units that it may still cost; None where that is not limited."""
        return None if self.plan.credits_max is None else self.plan.credits_max - self.charged

    def pays(self, price: int) -> bool:
        """Whether the round may cost one more turn of this price."""
        return self.units_left is None or price <= self.units_left

    def outlives(self, answer: Message) -> Message:
        """An answer that ended with its process; it says that another one follows where one may."""
        self.charged += answer.charged
        return replace(answer, next=next_id(answer.id)) if self.has_more and self.pays(answer.price) else answer
