"""What must be true of every schedule, whatever happened in it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from scenemesh.events.v1 import chat_pb2
from scenemesh.events.v1.envelope_pb2 import Envelope
from services.chat_svc.answering.generation import KEEP_SECONDS_MAX
from services.chat_svc.domain.conversation import Message, State
from services.chat_svc.domain.ending import estimated_tokens
from services.chat_svc.domain.entry import Began, Entry, Said, Seam, text_of
from services.chat_svc.domain.estimate import turns_of
from services.chat_svc.domain.fault import FailureReason
from services.chat_svc.domain.log import Ended, ended_log
from services.chat_svc.domain.outcome import FinishReason
from tests.unit.chat_svc.simulation.people import Stopped
from tests.unit.chat_svc.simulation.provider import Part
from tests.unit.chat_svc.simulation.quota import HELD, RELEASED, SETTLED, Hold, Ledger
from tests.unit.chat_svc.simulation.readers import Reader, Sight
from tests.unit.chat_svc.simulation.schedule import (
    HOLDS_LAST_SECONDS,
    MODELS,
    TOKENS_PER_TURN,
    TURNS_MAX,
    Kind,
    Outcome,
)
from tests.unit.chat_svc.simulation.store import Row

# From a stop that the process hears of that makes the answer to the end of its model's stream.
STOP_SECONDS_MAX = 0.2


def broken(outcome: Outcome) -> Iterator[str]:
    """Every law that was broken, in words."""
    around = outcome.around
    if not outcome.at_rest:
        yield "it never came to rest"
    yield from (*around.world.defects, *outcome.surprises)
    if not outcome.at_rest:
        return
    for row in around.database.answers:
        for told in (
            *_ended(row),
            *_owned(row.message, outcome),
            *_receipt(row.message, outcome),
            *_usage(row.message, outcome),
            *_words(row.message, outcome),
        ):
            yield f"answer {row.message.id}: {told}"
    for person in outcome.people:
        for reader in person.readers:
            for told in (*reader.broken, *_missing(reader, outcome)):
                yield f"a reader: {told}"
            for sight in reader.sights:
                yield from (f"a reader of {sight.answer}: {told}" for told in _seen(sight, outcome))
        for stopped in person.stopped:
            yield from _stopped(stopped, outcome)
    yield from _rounds(outcome)
    yield from _holds(outcome)
    yield from _streams(outcome)


def _ended(row: Row) -> Iterator[str]:
    if row.ends != 1:
        yield f"ended {row.ends} times"
    if row.message.state is State.STREAMING:
        yield "still streaming"
    if [_told_charge(one) for one in row.told] != [row.message.charged]:
        yield f"it was charged {row.message.charged}, and the other services were told {row.told}"
    if row.message.text != text_of(row.message.log):
        yield f"its text is {row.message.text!r} and its log says {text_of(row.message.log)!r}"


def _told_charge(told: Envelope) -> int:
    ended = chat_pb2.MessageCompleted() if told.type == "message.completed" else chat_pb2.MessageFailed()
    assert told.data.Unpack(ended)
    return ended.charged


def _owned(answer: Message, outcome: Outcome) -> Iterator[str]:
    """Nobody takes an answer from an owner that lives, though the database was away for all of them for a while."""
    schedule = outcome.schedule
    outages = all(one.kind is Kind.OUTAGE and one.seconds < KEEP_SECONDS_MAX for one in schedule.troubles)
    if answer.failure is FailureReason.INTERRUPTED and outages and not any(schedule.losses["database"]):
        yield "was taken for left"


def _receipt(answer: Message, outcome: Outcome) -> Iterator[str]:
    """What the receipt says is what the ledger took, and no more than the answer is worth."""
    ledger = outcome.around.ledger
    hold, usage = ledger.holds[answer.hold], answer.usage
    charges = [one for one in ledger.charges if one.resource == answer.name or one.hold == answer.hold]
    if [one.units for one in charges] != ([answer.charged] if answer.charged else []):
        yield f"its receipt says {answer.charged} and the ledger {charges}"
    for one in charges:
        if usage is None or (one.input_tokens, one.output_tokens) != (usage.input_tokens, usage.output_tokens):
            yield f"its receipt says {usage} and the ledger {one}"
    # A twin of the call that began it may have given back what both held: then what it costs was held anew.
    paid = ledger.holds[charges[0].hold] if charges and hold.state == RELEASED else hold
    if (paid.state, paid.resolutions) != (SETTLED if answer.charged else RELEASED, 1):
        yield f"its hold ended as {paid}"
    if answer.charged not in _worth(answer, hold, outcome):
        yield f"it costs {answer.charged} with {usage} and {hold}, {answer.finish} {answer.failure}"
    held = hold.amount // answer.price
    if held > TURNS_MAX:
        yield f"{hold} is held, and it costs {TURNS_MAX} turns at most"
    unused = estimated_tokens(answer.text) < held * TOKENS_PER_TURN or held == TURNS_MAX
    if answer.finish is FinishReason.QUOTA and unused and not outcome.schedule.harms("quota"):
        yield f"its credit ended after {answer.text!r}, and {hold} pays for more"


def _worth(answer: Message, hold: Hold, outcome: Outcome) -> range:
    """What an answer may cost: where its hold grew whenever it was to, what its usage is worth, to the unit.

    Where it did not, a turn may have come to be held in the moment in which the answer ended, and nobody knows of it.
    """
    if not answer.text or (answer.failure is not None and answer.failure is not FailureReason.INTERRUPTED):
        return range(1)
    if answer.failure is not None or answer.usage is None:
        return range(answer.price, answer.price + 1)
    held = hold.amount // answer.price
    worth = min(turns_of(answer.usage.output_tokens, TOKENS_PER_TURN), TURNS_MAX, _turns_of_round(answer, outcome))
    least = 1 if outcome.schedule.harms("quota") else min(worth, max(held - 1, 1))
    if hold.name not in outcome.around.ledger.short and not outcome.schedule.harms("quota"):
        least = worth
    return range(least * answer.price, min(worth, held) * answer.price + 1)


def _turns_of_round(answer: Message, outcome: Outcome) -> int:
    """Turns that its round may cost when an answer of it begins; the first one is made in any case."""
    if outcome.schedule.group is None:
        return TURNS_MAX
    _, *before = outcome.around.database.before_in_round(answer)
    left = outcome.schedule.group.credits_max - sum(one.charged for one in before)
    return max(left // answer.price, 1)


def _words(answer: Message, outcome: Outcome) -> Iterator[str]:
    """What is stored was said by the models that the log names, and what is called whole is whole."""
    parts, segments = _said(answer, outcome), _segments(answer.log)
    for model, kept, text in segments:
        if not any(one.model == model and one.prefix in ("", kept) and one.text.startswith(text) for one in parts):
            yield f"{model} never said {text!r} after {kept!r}"
    if answer.finish in (FinishReason.STOP, FinishReason.LENGTH):
        whole = [one.told for one in parts if segments and (one.model, one.text) == (segments[-1][0], segments[-1][2])]
        if not any(told and told.reason is answer.finish for told in whole):
            yield f"it is called whole, and its model told {whole}"


def _usage(answer: Message, outcome: Outcome) -> Iterator[str]:
    """What it used is what its models told, or an estimate, for each whose text it shows; and that is what it cost."""
    segments, usage = _segments(answer.log), answer.usage
    shown: list[tuple[str, str]] = []
    for model, kept, text in segments:
        before = shown
        shown = [(one, kept[begin:end]) for one, begin, end in _spans(before) if kept[begin:end]] + [(model, text)]
    shown = [(model, text) for model, text in shown if text]
    if (usage is None) is not (not shown):
        yield f"it says {usage} of {shown}"
    if usage is None or not shown:
        return
    tokens = [estimated_tokens(text) for _, text in shown]
    told = {one.told.usage for one in _said(answer, outcome) if one.told is not None and one.text == shown[-1][1]}
    lasts = {one.output_tokens for one in told if one is not None} | {tokens[-1]}
    if usage.output_tokens not in {sum(tokens[:-1]) + last for last in lasts}:
        yield f"it says {usage} of {shown}, of which models told {told}"
    if answer.spent.cost != MODELS[0].prices.cost(usage):
        yield f"{usage} costs {answer.spent.cost}"


def _spans(parts: list[tuple[str, str]]) -> Iterator[tuple[str, int, int]]:
    """Where each part of a text begins and ends."""
    end = 0
    for model, text in parts:
        begin, end = end, end + len(text)
        yield model, begin, end


def _said(answer: Message, outcome: Outcome) -> list[Part]:
    """All that models did for the question that it answers."""
    return outcome.around.stage.parts.get(outcome.around.database.question(answer).text, [])


def _segments(log: tuple[Entry, ...]) -> list[tuple[str, str, str]]:
    """Each model in turn: what it was to go on with, and what it said."""
    segments: list[tuple[str, str, str]] = []
    for place, entry in enumerate(log):
        match entry:
            case Began(model):
                segments.append((model, "", ""))
            case Seam(to_model=model):
                segments.append((model, text_of(log[: place + 1]), ""))
            case Said(text):
                model, kept, said = segments[-1]
                segments[-1] = model, kept, said + text
    return segments


def _seen(reader: Sight, outcome: Outcome) -> Iterator[str]:
    """What was seen is what is stored, in its order, and so is the end."""
    yield from reader.broken
    database = outcome.around.database
    answer = database.rows[reader.answer.id].message
    stored = list(ended_log(database.question(answer), answer))
    for event in reader.seen:
        if event.number <= len(answer.log) and event.what != stored[event.number - 1].what:
            yield f"saw {event}, and {stored[event.number - 1]} is stored"
    # Nobody has seen what a dying process takes along, unless it could not write, or could not learn that it is taken
    # for dead.
    lossy = outcome.schedule.fails("redis") or outcome.schedule.fails("database")
    if reader.seen and reader.seen[-1].number >= len(stored) and not lossy:
        yield f"saw {reader.seen[-1]}, and {len(stored)} are stored"
    if reader.ended is not None:
        told = reader.ended.what
        assert isinstance(told, Ended)
        if reader.ended.number != len(stored) or _receiptless(told.answer) != _receiptless(answer):
            yield f"saw {reader.ended} in the end, and {stored[-1]} is stored"


def _missing(reader: Reader, outcome: Outcome) -> Iterator[str]:
    """An answer of which it was told that it does not come does not come."""
    for answer in reader.missing:
        if answer in outcome.around.database.rows:
            yield f"{answer} was not found, and is there"


def _stopped(stopped: Stopped, outcome: Outcome) -> Iterator[str]:
    """Who stops an answer gets it as it is stored, and stops its round."""
    database, answer = outcome.around.database, stopped.answer
    if _receiptless(answer) != _receiptless(database.rows[answer.id].message):
        yield f"StopMessage gave {answer}"
    answers = len(list(database.round(answer.id)))
    if answers != stopped.answers and not stopped.goes_on:
        yield f"a round that was stopped has {answers} answers, of which {stopped.answers} had begun"


def _rounds(outcome: Outcome) -> Iterator[str]:
    """No round has more answers than the group allows, or costs more; they follow on each other, as it was planned."""
    database, group = outcome.around.database, outcome.schedule.group
    followed = {row.message.next for row in database.answers}
    for row in database.answers:
        if row.message.id in followed:
            continue
        answers = list(database.round(row.message.id))
        for before, answer in pairwise(answers):
            if (answer.parent, answer.position) != (before.id, before.position + 1):
                yield f"{answer} follows on {before}"
        planned = database.plans.get(row.message.id)
        speakers = tuple(answer.character for answer in answers)
        if planned is not None and speakers != planned.speakers[: len(answers)]:
            yield f"{speakers} speak, and {planned.speakers} were to"
        if len(answers) > (group.answers_max if group else 1):
            yield f"a round of {len(answers)} answers"
        # The first one may cost a turn in any case.
        most = max(group.credits_max, answers[0].price) if group else answers[0].charged
        if sum(answer.charged for answer in answers) > most:
            yield f"a round costs {[answer.charged for answer in answers]}, and may cost {most}"


def _receiptless(answer: Message) -> tuple[object, ...]:
    return answer.text, answer.state, answer.finish, answer.failure, answer.usage, answer.log


def _holds(outcome: Outcome) -> Iterator[str]:
    ledger: Ledger = outcome.around.ledger
    answers = {row.message.hold for row in outcome.around.database.answers}
    harmed = outcome.schedule.harms("quota") or outcome.schedule.harms("database")
    for hold in ledger.holds.values():
        if hold.state == HELD and (hold.name in answers or not harmed):
            yield f"nobody ended {hold}"
    ledger.expire(outcome.around.world.time() + HOLDS_LAST_SECONDS)
    for hold in ledger.holds.values():
        if hold.resolutions != 1:
            yield f"resolved {hold.resolutions} times: {hold}"
    start = dict(zip(("chat", "chat_premium", "credits"), outcome.schedule.units, strict=True))
    for (user, meter), left in ledger.left.items():
        taken = sum(one.units for one in ledger.charges if one.meter == meter and ledger.holds[one.hold].user == user)
        if left + taken != start[meter]:
            yield f"{user} had {start[meter]} {meter}, has {left} and paid {taken}"


def _streams(outcome: Outcome) -> Iterator[str]:
    """A stop ends what a model says for the answer, and no other model is asked."""
    parts = [part for parts in outcome.around.stage.parts.values() for part in parts]
    for heard in outcome.around.heard:
        until = heard.at + STOP_SECONDS_MAX
        if outcome.around.died.get(heard.job.owner, until + 1) <= until:
            continue
        for part in parts:
            if part.job == heard.job and (part.closed is None or part.closed > until):
                yield f"{part} goes on after {heard}"
