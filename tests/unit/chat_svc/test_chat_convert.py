from dataclasses import replace
from decimal import Decimal

import pytest

from runtime.errors import InvalidArgument, Violation
from scenemesh.chat.v1 import chat_pb2
from services.chat_svc.convert import conversations, messages, models
from services.chat_svc.domain.conversation import State
from services.chat_svc.domain.entry import Said, Seam, SeamMode
from services.chat_svc.domain.fault import FailureReason, Fault
from services.chat_svc.domain.health import Speed, Standing
from services.chat_svc.domain.listing import Listed
from services.chat_svc.domain.log import Ended, Event, Started
from services.chat_svc.domain.model import Capability, Class, Prices
from services.chat_svc.domain.outcome import Attempt, FinishReason, Spent, Usage
from services.chat_svc.domain.routing import Candidate, Decision, Preference, Skipped
from tests.unit.chat_svc.messages import ANSWER, QUESTION
from tests.unit.chat_svc.models import model


def event(what: Started | Said | Seam | Ended) -> chat_pb2.ChatEvent:
    return messages.event_to_proto(Event(ANSWER.name, 3, what))


def told(**what: object) -> chat_pb2.ChatEvent:
    return chat_pb2.ChatEvent(message=ANSWER.name, number=3, **what)  # type: ignore[arg-type]


def test_a_model_is_listed_with_its_prices_and_how_it_does() -> None:
    dear = replace(
        model("dear", Class.PREMIUM),
        prices=Prices(Decimal("2.00"), Decimal("0.10"), Decimal("10.00")),
        capabilities=frozenset({Capability.VISION, Capability.TOOLS}),
    )
    listed = [
        Listed(dear, False, Standing.OPEN, 4.5, Speed(0.5, 80.0), 7, 3),
        Listed(model("plain"), True, Standing.CLOSED, 0.0, None, 0, 0),
    ]
    health = chat_pb2.ModelHealth(
        breaker=chat_pb2.BREAKER_STATE_OPEN,
        rests_seconds=4.5,
        first_word_seconds=0.5,
        tokens_per_second=80.0,
        answers=7,
        failures=3,
    )
    first = chat_pb2.ModelInfo(
        id="dear",
        context_tokens=32_000,
        output_tokens_max=1_000,
        input_usd=2.0,
        cached_input_usd=0.1,
        output_usd=10.0,
        capabilities=["tools", "vision"],
        health=health,
        **{"class": chat_pb2.MODEL_CLASS_PREMIUM},  # type: ignore[arg-type]
    )
    second = chat_pb2.ModelInfo(
        id="plain",
        context_tokens=32_000,
        output_tokens_max=1_000,
        entitled=True,
        health=chat_pb2.ModelHealth(breaker=chat_pb2.BREAKER_STATE_CLOSED),
        **{"class": chat_pb2.MODEL_CLASS_STANDARD},  # type: ignore[arg-type]
    )
    assert models.models_to_proto(listed) == chat_pb2.ListModelsResponse(models=[first, second])


def test_a_choice_names_a_model_or_what_matters() -> None:
    assert models.choice_from_proto(chat_pb2.ModelChoice()) == (None, Preference.BALANCED)
    best = chat_pb2.ModelChoice(model="dear", preference=chat_pb2.PREFERENCE_BEST)
    assert models.choice_from_proto(best) == ("dear", Preference.BEST)


def test_an_answer_begins_with_its_model_and_why_that_one() -> None:
    decision = Decision(
        (
            Candidate("one", False, 5.5, 0.001, 1.0, sticks=True),
            Candidate("dear", True, 9.0, 0.02, 2.0, Skipped.CLASS),
        )
    )
    candidates = [
        chat_pb2.Candidate(model="one", score=5.5, cost_usd=0.001, first_word_seconds=1.0, sticky=True),
        chat_pb2.Candidate(
            model="dear", score=9.0, cost_usd=0.02, first_word_seconds=2.0, skipped=chat_pb2.SKIP_REASON_CLASS
        ),
    ]
    started = chat_pb2.Started(user_message=messages.message_to_proto(QUESTION), model="one")
    assert event(Started(QUESTION, "one")) == told(started=started)
    started.decision.CopyFrom(chat_pb2.Decision(candidates=candidates))
    assert event(Started(QUESTION, "one", decision)) == told(started=started)


def test_pieces_and_seams_are_told_as_they_are() -> None:
    assert event(Said("Elementary.")) == told(delta=chat_pb2.Delta(text="Elementary."))
    assert event(Seam("one", "two", Fault.STALLED, SeamMode.CONTINUED, 12)) == told(
        seam=chat_pb2.Seam(
            from_model="one",
            to_model="two",
            fault=chat_pb2.FAULT_STALLED,
            mode=chat_pb2.SEAM_MODE_CONTINUED,
            kept_characters=12,
        )
    )


def told_usage(cached: int) -> chat_pb2.TokenUsage:
    return chat_pb2.TokenUsage(input_tokens=90, output_tokens=10, cached_input_tokens=cached)


def test_a_receipt_names_every_attempt_and_what_the_answer_cost() -> None:
    attempts = (Attempt("one", Fault.OVERLOADED), Attempt("two", None, Usage(90, 10, cached_tokens=40), 0.5))
    answer = replace(
        ANSWER,
        state=State.COMPLETE,
        finish=FinishReason.QUOTA,
        text="Elementary.",
        charged=2,
        remaining=3,
        usage=Usage(90, 10),
        spent=Spent(attempts, Decimal("0.0025")),
    )
    receipt = chat_pb2.Receipt(
        meter="chat",
        charged=2,
        remaining=3,
        usage=told_usage(0),
        attempts=[
            chat_pb2.Attempt(model="one", fault=chat_pb2.FAULT_OVERLOADED),
            chat_pb2.Attempt(model="two", usage=told_usage(40), first_word_seconds=0.5),
        ],
        cost_usd=0.0025,
    )
    finished = chat_pb2.Finished(
        reason=chat_pb2.FINISH_REASON_QUOTA, message=messages.message_to_proto(answer), receipt=receipt
    )
    assert event(Ended(answer)) == told(finished=finished)


@pytest.mark.parametrize("reason", FailureReason)
def test_a_failure_says_why_in_words_for_a_person(reason: FailureReason) -> None:
    failed = event(Ended(replace(ANSWER, state=State.FAILED, failure=reason))).failed
    assert chat_pb2.FailureReason.Name(failed.reason) == f"FAILURE_REASON_{reason.name}"
    assert failed.description.endswith(".")


def test_every_word_of_ours_has_one_in_the_contract() -> None:
    assert set(messages.FAULTS) == set(Fault)
    assert set(messages.FINISH_REASONS) == set(FinishReason)
    assert set(messages.SEAM_MODES) == set(SeamMode)
    assert set(models.SKIP_REASONS) == set(Skipped)
    assert set(models.CLASSES) == set(Class)
    assert set(models.BREAKERS) == set(Standing)
    assert set(models.PREFERENCES) == set(chat_pb2.Preference.values())


@pytest.mark.parametrize("name", ["sherlock-holmes", "customCharacters/me", f"characters/{'x' * 200}"])
def test_a_groups_talkativeness_goes_by_characters_names(name: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        conversations.group_from_proto(chat_pb2.Group(talkativeness={"characters/john-watson": 20, name: 80}))
    fault = "must go by characters' names, as characters/sherlock-holmes"
    assert caught.value.violations == (Violation("conversation.group.talkativeness", fault),)
