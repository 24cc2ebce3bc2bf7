import pytest

from services.chat_svc.domain import fault
from services.chat_svc.domain.fault import FailureReason, Fault, ModelFault, Next

# What each says: its kind, who may succeed then, how often the same model is tried again, whether it counts.
RULES = {
    fault.RateLimited: (Fault.RATE_LIMITED, Next.OTHERS, 1, True),
    fault.Overloaded: (Fault.OVERLOADED, Next.OTHERS, 1, True),
    fault.ServerFailed: (Fault.SERVER_FAILED, Next.OTHERS, 1, True),
    fault.Unreachable: (Fault.UNREACHABLE, Next.OTHERS, 1, True),
    fault.NotLetIn: (Fault.NOT_LET_IN, Next.OTHERS, 0, True),
    fault.ContextTooLong: (Fault.CONTEXT_TOO_LONG, Next.LARGER, 0, False),
    fault.Refused: (Fault.REFUSED, Next.NOBODY, 0, False),
    fault.Rejected: (Fault.REJECTED, Next.NOBODY, 0, False),
    fault.PrefillRejected: (Fault.REJECTED, Next.OTHERS, 0, False),
    fault.Stalled: (Fault.STALLED, Next.OTHERS, 0, True),
    fault.Cut: (Fault.CUT, Next.OTHERS, 0, True),
    fault.Malformed: (Fault.MALFORMED, Next.OTHERS, 0, True),
    fault.Empty: (Fault.EMPTY, Next.OTHERS, 0, True),
    fault.Outrun: (Fault.OUTRUN, Next.OTHERS, 0, False),
    fault.HandedOver: (Fault.HANDED_OVER, Next.OTHERS, 0, False),
}
KINDS = list(RULES)


@pytest.mark.parametrize("kind", KINDS)
def test_every_way_to_fail_has_its_rule(kind: type[ModelFault]) -> None:
    assert (kind.kind, kind.following, kind.again, kind.counts) == RULES[kind]


def test_there_is_a_fault_for_each_that_a_receipt_can_tell() -> None:
    assert {kind.kind for kind in KINDS} == set(Fault)
    assert set(KINDS) == {
        one for one in vars(fault).values() if isinstance(one, type) and issubclass(one, ModelFault)
    } - {ModelFault}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not fault.HandedOver])
def test_after_the_first_word_a_failure_is_a_cut_unless_the_model_declined(kind: type[ModelFault]) -> None:
    own = {fault.Refused: FailureReason.REFUSED, fault.ContextTooLong: FailureReason.PROMPT_TOO_LONG}
    before, after = (fault.failure(kind("told"), spoke=spoke) for spoke in (False, True))
    assert before is own.get(kind, FailureReason.MODEL_UNAVAILABLE)
    assert after is (FailureReason.REFUSED if kind is fault.Refused else FailureReason.MODEL_CUT)


def test_an_answer_that_nobody_goes_on_with_was_interrupted() -> None:
    assert fault.failure(fault.HandedOver("told"), spoke=True) is FailureReason.INTERRUPTED


def test_a_fault_says_what_the_provider_told() -> None:
    limited = fault.RateLimited("HTTP 429", retry_after_seconds=7.5)
    assert (str(limited), limited.retry_after_seconds) == ("HTTP 429", 7.5)
    assert fault.RateLimited("HTTP 429").retry_after_seconds is None
