"""What a schedule led to, in a few words: laws that nothing ever comes close to prove nothing."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from services.chat_svc.domain.entry import Seam
from services.chat_svc.domain.estimate import turns_of
from services.chat_svc.domain.outcome import FinishReason
from tests.unit.chat_svc.simulation.quota import STATES
from tests.unit.chat_svc.simulation.schedule import TOKENS_PER_TURN, TURNS_MAX, Outcome

ALL = frozenset(
    {
        "stop",
        "length",
        "stopped",
        "quota",
        "model_unavailable",
        "model_cut",
        "interrupted",
        "refused",
        "interrupted and paid",
        "taken over",
        "handed over",
        "continued",
        "replaced",
        "outrun",
        "estimated",
        "SETTLED",
        "RELEASED",
        "EXPIRED",
        "an answer followed",
        "an answer did not follow",
        "an answer was given again",
        "a round was handed over",
        "a round went on behind an answer that was handed over",
        "a round went on behind an answer that was interrupted",
        "a round went on after a pause elsewhere",
        "a stop was answered",
        "a stop closed a stream",
        "more turns than it may cost",
        "paid for in part",
        "a reader saw the end",
        "a reader saw what was lost",
    }
)


def reached(outcome: Outcome) -> Iterator[str]:
    database, asked = outcome.around.database, set[UUID | None]()
    followed = {row.message.next for row in database.answers}
    for row in database.answers:
        answer = row.message
        yield from (one.value for one in (answer.finish, answer.failure) if one is not None)
        yield from (one.mode.value for one in answer.log if isinstance(one, Seam))
        yield from (one.fault.value for one in answer.spent.attempts if one.fault is not None)
        if answer.failure is not None and answer.charged:
            yield "interrupted and paid"
        if len(database.owners[answer.id]) > 1:
            yield "taken over"
        if row.handed_over:
            yield "handed over"
        if row.handed_over and answer.id in followed:
            yield "a round was handed over"
        if answer.id in followed:
            yield "an answer followed"
        if answer.next in database.rows:
            if row.handed_over:
                yield "a round went on behind an answer that was handed over"
            if answer.failure is not None:
                yield "a round went on behind an answer that was interrupted"
            if answer.id in database.taken_rounds:
                yield "a round went on after a pause elsewhere"
        if answer.parent in asked:
            yield "an answer was given again"
        asked.add(answer.parent)
        if answer.usage is not None and answer.usage.estimated:
            yield "estimated"
        turns = turns_of(answer.usage.output_tokens, TOKENS_PER_TURN) if answer.usage is not None else 0
        if turns > TURNS_MAX == answer.charged // answer.price:
            yield "more turns than it may cost"
        if answer.finish is FinishReason.STOP and answer.hold in outcome.around.ledger.short:
            yield "paid for in part"
    parts = [part for parts in outcome.around.stage.parts.values() for part in parts]
    for heard in outcome.around.heard:
        if any(one.job == heard.job and one.opened <= heard.at <= (one.closed or 0.0) for one in parts):
            yield "a stop closed a stream"
    yield from (STATES[hold.state] for hold in outcome.around.ledger.holds.values())
    for person in outcome.people:
        if person.stopped:
            yield "a stop was answered"
        for reader in person.readers:
            if reader.missing:
                yield "an answer did not follow"
            for sight in reader.sights:
                if sight.ended is not None:
                    yield "a reader saw the end"
                if sight.ended is not None and sight.number >= sight.ended.number and sight.seen:
                    yield "a reader saw what was lost"
