"""Models, how they do, and why one is asked, as the contract says them."""

from collections.abc import Iterable

from scenemesh.chat.v1 import chat_pb2
from services.chat_svc.domain.estimate import Estimate
from services.chat_svc.domain.health import Standing
from services.chat_svc.domain.listing import Listed
from services.chat_svc.domain.model import Class
from services.chat_svc.domain.routing import Candidate, Choice, Decision, Preference, Skipped

CLASSES = {
    Class.STANDARD: chat_pb2.MODEL_CLASS_STANDARD,
    Class.PREMIUM: chat_pb2.MODEL_CLASS_PREMIUM,
}
BREAKERS = {
    Standing.CLOSED: chat_pb2.BREAKER_STATE_CLOSED,
    Standing.OPEN: chat_pb2.BREAKER_STATE_OPEN,
    Standing.HALF_OPEN: chat_pb2.BREAKER_STATE_HALF_OPEN,
}
SKIP_REASONS = {
    Skipped.CLASS: chat_pb2.SKIP_REASON_CLASS,
    Skipped.CAPABILITY: chat_pb2.SKIP_REASON_CAPABILITY,
    Skipped.CONTEXT: chat_pb2.SKIP_REASON_CONTEXT,
    Skipped.RESTING: chat_pb2.SKIP_REASON_RESTING,
    Skipped.FAILED: chat_pb2.SKIP_REASON_FAILED,
}
PREFERENCES: dict[int, Preference] = {
    chat_pb2.PREFERENCE_UNSPECIFIED: Preference.BALANCED,
    chat_pb2.PREFERENCE_FAST: Preference.FAST,
    chat_pb2.PREFERENCE_CHEAP: Preference.CHEAP,
    chat_pb2.PREFERENCE_BEST: Preference.BEST,
}


def choice_from_proto(choice: chat_pb2.ModelChoice) -> tuple[str | None, Preference]:
    """The model that the caller names, None to have one chosen, and what matters to them."""
    return choice.model or None, PREFERENCES[choice.preference]


def wanted_from_proto(choice: chat_pb2.ModelChoice) -> Choice:
    return Choice(*choice_from_proto(choice))


def estimate_to_proto(estimate: Estimate) -> chat_pb2.TurnEstimate:
    return chat_pb2.TurnEstimate(
        meter=estimate.meter,
        likely=estimate.likely,
        maximum=estimate.maximum,
        model=estimate.model.id if estimate.model else "",
        prompt_tokens=estimate.prompt_tokens,
        context_used_percent=min(100, 100 * estimate.prompt_tokens // max(1, estimate.prompt_tokens_max)),
        affordable=estimate.affordable,
        images=estimate.images,
        images_meter=estimate.images_meter,
    )


def models_to_proto(models: Iterable[Listed]) -> chat_pb2.ListModelsResponse:
    return chat_pb2.ListModelsResponse(models=[_model(one) for one in models])


def decision_to_proto(decision: Decision) -> chat_pb2.Decision:
    return chat_pb2.Decision(candidates=[_candidate(one) for one in decision.candidates])


def _model(listed: Listed) -> chat_pb2.ModelInfo:
    model = listed.model
    info = chat_pb2.ModelInfo(
        id=model.id,
        context_tokens=model.context_tokens,
        output_tokens_max=model.output_tokens_max,
        input_usd=float(model.prices.input),
        cached_input_usd=float(model.prices.cached),
        output_usd=float(model.prices.output),
        capabilities=sorted(one.value for one in model.capabilities),
        entitled=listed.entitled,
        health=_health(listed),
    )
    # The field's name is a word of Python's.
    setattr(info, "class", CLASSES[model.model_class])
    return info


def _health(listed: Listed) -> chat_pb2.ModelHealth:
    speed = listed.speed
    return chat_pb2.ModelHealth(
        breaker=BREAKERS[listed.standing],
        rests_seconds=listed.rests_seconds,
        first_word_seconds=speed.first_word_seconds if speed else 0.0,
        tokens_per_second=speed.tokens_per_second if speed else 0.0,
        answers=listed.answers,
        failures=listed.failures,
    )


def _candidate(candidate: Candidate) -> chat_pb2.Candidate:
    return chat_pb2.Candidate(
        model=candidate.model,
        score=candidate.seconds,
        cost_usd=candidate.dollars,
        first_word_seconds=candidate.first_word_seconds,
        skipped=SKIP_REASONS[candidate.skipped] if candidate.skipped else None,
        sticky=candidate.sticks,
    )
