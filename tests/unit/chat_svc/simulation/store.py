"""The database of every process, in memory: rows that change as the statements of the real one change them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from uuid import UUID

from runtime.errors import Aborted, NotFound, Unavailable
from scenemesh.events.v1.envelope_pb2 import Envelope
from services.chat_svc.domain.conversation import Conversation, Message, Role, State
from services.chat_svc.domain.handover import Handover
from services.chat_svc.domain.round import Plan, Round
from services.chat_svc.store import Begun, rows
from services.chat_svc.store.answers import (
    LAPSED_MAX,
    LEASE_SECONDS,
    OFFER_SECONDS,
    OFFERED_MAX,
    Renewed,
    in_progress,
)
from services.chat_svc.store.leases import NOBODY
from services.chat_svc.store.rounds import LATE_SECONDS, TAKEN_MAX, TAKEN_SECONDS


def database_away() -> Exception:
    return Unavailable("Down.", reason="DATABASE_UNAVAILABLE")


@dataclass
class Row:
    """A message; `ends` counts how often it was ended, `told` is what the other services learn of it."""

    message: Message
    owner: UUID | None
    lease_until: float
    hold_resolved: bool
    stop_wished: bool = False
    handed_over: str = ""
    ends: int = 0
    told: list[Envelope] = field(default_factory=list)

    def is_run_by(self, owner: UUID) -> bool:
        return self.owner == owner and self.message.state is State.STREAMING


@dataclass
class Database:
    """`owners` are all that ever owned an answer, by its id; `plans` are of rounds, by their first answers.

    `taken_rounds` are answers that ended, on which another process than theirs was to go on.
    """

    conversations: dict[UUID, Conversation] = field(default_factory=dict)
    rows: dict[UUID, Row] = field(default_factory=dict)
    owners: dict[UUID, list[UUID]] = field(default_factory=dict)
    plans: dict[UUID, Plan] = field(default_factory=dict)
    taken_rounds: list[UUID] = field(default_factory=list)

    @property
    def answers(self) -> list[Row]:
        return [row for row in self.rows.values() if row.message.role is Role.CHARACTER]

    def is_at_rest(self, now: float) -> bool:
        """Whether nothing is left to do for anyone."""
        resolved = all(row.hold_resolved for row in self.rows.values())
        return resolved and not any(self.is_answering(one, None, now) for one in self.conversations)

    def of(self, conversation: UUID) -> list[Message]:
        """The messages of a conversation in their order."""
        return [row.message for row in self.rows.values() if row.message.conversation == conversation]

    def back(self, message: UUID | None) -> Iterator[Message]:
        """A message, and what it was said after, back to the first one."""
        while message is not None:
            found = self.rows[message].message
            yield found
            message = found.parent

    def round(self, answer: UUID | None) -> Iterator[Message]:
        """An answer and those that followed it in its round."""
        while answer in self.rows:
            found = self.rows[answer].message
            yield found
            answer = found.next

    def question(self, answer: Message) -> Message:
        """What the person said last before an answer."""
        return next(one for one in self.back(answer.id) if one.role is Role.USER)

    def find(self, user: str, answer: UUID) -> Begun | None:
        row = self.rows.get(answer)
        if row is None or row.message.user != user or row.message.role is not Role.CHARACTER:
            return None
        return Begun(self.question(row.message), replace(row.message, unpaid=not row.hold_resolved), new=False)

    def is_answering(self, conversation: UUID, but: UUID | None, now: float) -> bool:
        if any(one.state is State.STREAMING and one.id != but for one in self.of(conversation)):
            return True
        current = self.conversations[conversation].current
        if current is None:
            return False
        last = self.rows[current]
        return last.message.next not in (None, but) and last.lease_until > now

    def check_idle(self, conversation: UUID, but: UUID, now: float) -> None:
        if self.is_answering(conversation, but, now):
            raise in_progress()

    def begin(
        self, owner: UUID, question: Message | None, answer: Message, current: UUID | None, now: float, *, follows: bool
    ) -> Begun:
        earlier = self.find(answer.user, answer.id)
        if earlier is not None:
            return earlier
        self.check_idle(answer.conversation, answer.id, now)
        conversation = self.conversations[answer.conversation]
        if conversation.current != current:
            raise Aborted("It went on meanwhile.", reason="CONVERSATION_CHANGED")
        if follows:
            self._follow(answer, now)
        count = len(self.of(answer.conversation))
        for place, one in enumerate([answer] if question is None else [question, answer], count + 1):
            owned = owner if one is answer else None
            until = now + LEASE_SECONDS if one is answer else 0.0
            self.rows[one.id] = Row(replace(one, position=place), owned, until, hold_resolved=one is not answer)
        self.owners[answer.id] = [owner]
        self.conversations[conversation.id] = replace(conversation, current=answer.id)
        begun = self.find(answer.user, answer.id)
        assert begun is not None
        return replace(begun, new=True)

    def _follow(self, answer: Message, now: float) -> None:
        assert answer.parent is not None
        before = self.rows[answer.parent]
        if before.message.next != answer.id or before.lease_until <= now:
            raise Aborted("The round has ended.", reason="ROUND_ENDED")
        before.lease_until = min(before.lease_until, now)

    def end(self, owner: UUID, answer: Message, now: float) -> bool:
        row = self.rows[answer.id]
        if not row.is_run_by(owner):
            return False
        group = self.conversations[answer.conversation].group
        pause_seconds = group.pause_seconds if group is not None and answer.next is not None else 0
        row.message = replace(answer, position=row.message.position)
        row.lease_until = now + LEASE_SECONDS + pause_seconds
        row.ends += 1
        return True

    def is_coming(self, conversation: UUID, answer: UUID, now: float) -> bool:
        current = self.conversations[conversation].current
        if current is None:
            return False
        last = self.rows[current]
        goes_on = last.message.state is State.STREAMING or last.lease_until > now
        return last.message.next == answer and goes_on

    def end_round(self, answer: Message) -> Message:
        row = self.rows[answer.id]
        if row.message.state is State.STREAMING or row.message.next in self.rows:
            return answer
        row.message = replace(row.message, next=None)
        return replace(answer, next=None)

    def first_of_round(self, answer: Message) -> Message:
        """The first answer of the round that an answer is part of."""
        *_, first = self.before_in_round(answer)
        return first

    def before_in_round(self, answer: Message) -> Iterator[Message]:
        """An answer and those before it in its round, back to the first."""
        line = self.back(answer.id)
        yield (after := next(line))
        for one in line:
            if one.next != after.id:
                return
            yield (after := one)

    def under_way(self, answer: Message) -> Round | None:
        row = self.rows[answer.id]
        plan = self.plans.get(self.first_of_round(row.message).id)
        if plan is None or row.message.next is None or row.stop_wished:
            return None
        before = list(self.before_in_round(row.message))[1:]
        return Round(plan, len(before), sum(one.charged for one in before), kept=True)

    def take_late(self, now: float) -> list[Message]:
        current = [self.rows[one.current] for one in self.conversations.values() if one.current is not None]
        late = [
            row
            for row in current
            if self.first_of_round(row.message).id in self.plans
            and row.message.state is not State.STREAMING
            and row.message.next is not None
            and now < row.lease_until < now + LATE_SECONDS
        ][:TAKEN_MAX]
        for row in late:
            row.lease_until = now + TAKEN_SECONDS
            self.taken_rounds.append(row.message.id)
        return [row.message for row in late]

    def leave(self, answer: Message, now: float) -> None:
        row = self.rows[answer.id]
        if row.message.next is not None and row.message.state is not State.STREAMING and row.lease_until > now:
            row.lease_until -= LATE_SECONDS

    def message(self, user: str, message: UUID) -> Message:
        row = self.rows.get(message)
        if row is None or row.message.user != user:
            raise NotFound("There is no such message among yours.", reason="MESSAGE_NOT_FOUND")
        return row.message

    def renew(self, owner: UUID, running: Collection[UUID], now: float, unmirrored: Collection[UUID]) -> Renewed:
        kept = [row for answer in running if (row := self.rows[answer]).is_run_by(owner)]
        for row in kept:
            row.lease_until = now + LEASE_SECONDS
            row.message = replace(row.message, unmirrored=row.message.id in unmirrored)
        wished = frozenset(row.message.id for row in kept if row.stop_wished)
        return Renewed(frozenset(row.message.id for row in kept), wished)

    def take_lapsed(self, owner: UUID, running: Collection[UUID], now: float) -> list[Message]:
        lapsed = [row for row in self.answers if not row.hold_resolved and row.lease_until < now]
        taken = [row for row in sorted(lapsed, key=lambda row: row.lease_until) if row.message.id not in running]
        for row in taken[:LAPSED_MAX]:
            row.owner, row.lease_until = owner, now + LEASE_SECONDS
            self.owners[row.message.id].append(owner)
        return [row.message for row in taken[:LAPSED_MAX]]

    def offer(self, owner: UUID, answer: Message, handover: Handover, now: float) -> bool:
        row = self.rows[answer.id]
        if not row.is_run_by(owner):
            return False
        row.owner, row.lease_until, row.handed_over = NOBODY, now + OFFER_SECONDS, rows.handed_over(handover)
        row.message = replace(row.message, log=answer.log)
        return True

    def take_back(self, owner: UUID, answer: Message, now: float) -> bool:
        row = self.rows[answer.id]
        if not row.is_run_by(NOBODY):
            return False
        row.owner, row.lease_until = owner, now + LEASE_SECONDS
        return True

    def take_offered(self, owner: UUID, now: float) -> list[tuple[Message, Handover]]:
        offered = [row for row in self.answers if row.is_run_by(NOBODY) and row.lease_until > now]
        taken = sorted(offered, key=lambda row: row.lease_until)[:OFFERED_MAX]
        for row in taken:
            row.owner, row.lease_until = owner, now + LEASE_SECONDS
            self.owners[row.message.id].append(owner)
        return [(row.message, rows.HANDOVER.validate_json(row.handed_over)) for row in taken]
