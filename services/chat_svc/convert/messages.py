"""Messages and the events of an answer's log as the contract says them."""

from uuid import UUID

from runtime import pages
from scenemesh.chat.v1 import chat_pb2
from services.chat_svc.convert.conversations import bad_field, bad_page_token, check_said, conversation_id, timestamp
from services.chat_svc.convert.models import choice_from_proto, decision_to_proto
from services.chat_svc.domain.conversation import Message, Reaction, Role, State
from services.chat_svc.domain.ending import DESCRIPTIONS
from services.chat_svc.domain.entry import Said, Seam, SeamMode
from services.chat_svc.domain.fault import FailureReason, Fault
from services.chat_svc.domain.log import Delayed, Ended, Event, Started
from services.chat_svc.domain.outcome import Attempt, FinishReason, Usage
from services.chat_svc.domain.routing import Choice
from services.chat_svc.domain.wish import Wish

MESSAGES_PAGE = 50

# Positions are integers of the database.
POSITION_MAX = 2**31 - 1

ROLES = {Role.USER: chat_pb2.ROLE_USER, Role.CHARACTER: chat_pb2.ROLE_CHARACTER}
STATES = {
    State.STREAMING: chat_pb2.MESSAGE_STATE_STREAMING,
    State.COMPLETE: chat_pb2.MESSAGE_STATE_COMPLETE,
    State.FAILED: chat_pb2.MESSAGE_STATE_FAILED,
}
FINISH_REASONS = {
    FinishReason.STOP: chat_pb2.FINISH_REASON_STOP,
    FinishReason.LENGTH: chat_pb2.FINISH_REASON_LENGTH,
    FinishReason.STOPPED: chat_pb2.FINISH_REASON_STOPPED,
    FinishReason.QUOTA: chat_pb2.FINISH_REASON_QUOTA,
}
FAILURE_REASONS = {
    FailureReason.MODEL_UNAVAILABLE: chat_pb2.FAILURE_REASON_MODEL_UNAVAILABLE,
    FailureReason.MODEL_CUT: chat_pb2.FAILURE_REASON_MODEL_CUT,
    FailureReason.INTERRUPTED: chat_pb2.FAILURE_REASON_INTERRUPTED,
    FailureReason.REFUSED: chat_pb2.FAILURE_REASON_REFUSED,
    FailureReason.PROMPT_TOO_LONG: chat_pb2.FAILURE_REASON_PROMPT_TOO_LONG,
}
REACTIONS = {
    Reaction.LIKE: chat_pb2.REACTION_LIKE,
    Reaction.DISLIKE: chat_pb2.REACTION_DISLIKE,
}
SEAM_MODES = {
    SeamMode.CONTINUED: chat_pb2.SEAM_MODE_CONTINUED,
    SeamMode.REPLACED: chat_pb2.SEAM_MODE_REPLACED,
}
FAULTS = {
    Fault.RATE_LIMITED: chat_pb2.FAULT_RATE_LIMITED,
    Fault.OVERLOADED: chat_pb2.FAULT_OVERLOADED,
    Fault.SERVER_FAILED: chat_pb2.FAULT_SERVER_FAILED,
    Fault.UNREACHABLE: chat_pb2.FAULT_UNREACHABLE,
    Fault.NOT_LET_IN: chat_pb2.FAULT_NOT_LET_IN,
    Fault.CONTEXT_TOO_LONG: chat_pb2.FAULT_CONTEXT_TOO_LONG,
    Fault.REFUSED: chat_pb2.FAULT_REFUSED,
    Fault.REJECTED: chat_pb2.FAULT_REJECTED,
    Fault.STALLED: chat_pb2.FAULT_STALLED,
    Fault.CUT: chat_pb2.FAULT_CUT,
    Fault.MALFORMED: chat_pb2.FAULT_MALFORMED,
    Fault.EMPTY: chat_pb2.FAULT_EMPTY,
    # The model did not fail.
    Fault.OUTRUN: chat_pb2.FAULT_OUTRUN,
    Fault.HANDED_OVER: chat_pb2.FAULT_HANDED_OVER,
}


def message_id(name: str) -> UUID:
    """The id in `conversations/{uuid}/messages/{uuid}`."""
    return UUID(name.split("/")[3])


def messages_after(request: chat_pb2.ListMessagesRequest) -> tuple[int, int]:
    """The place in the conversation that the page goes on behind, and the page's size."""
    size = request.page_size or MESSAGES_PAGE
    position = pages.position(_messages_scope(request), request.page_token, 1)
    if position is None:
        return 0, size
    if not (position[0].isascii() and position[0].isdigit() and len(position[0]) <= len(str(POSITION_MAX))):
        raise bad_page_token()
    if (after := int(position[0])) > POSITION_MAX:
        raise bad_page_token()
    return after, size


def messages_to_proto(
    request: chat_pb2.ListMessagesRequest, messages: list[Message], size: int
) -> chat_pb2.ListMessagesResponse:
    """One page of `messages`, which hold one more than the page when there is a next one."""
    token = ""
    if len(messages) > size:
        token = pages.token(_messages_scope(request), [str(messages[size - 1].position)])
    return chat_pb2.ListMessagesResponse(
        messages=[message_to_proto(one) for one in messages[:size]], next_page_token=token
    )


def message_to_proto(message: Message) -> chat_pb2.Message:
    return chat_pb2.Message(
        name=message.name,
        role=ROLES[message.role],
        text=message.text,
        state=STATES[message.state],
        model=message.model,
        usage=_usage(message.usage),
        failure_reason=FAILURE_REASONS[message.failure] if message.failure else None,
        create_time=timestamp(message.created_at),
        parent=_beside(message, message.parent),
        character=message.character,
        media=[f"media/{one}" for one in message.media],
        pinned=message.pinned,
        reaction=REACTIONS[message.reaction] if message.reaction else None,
        edit_time=timestamp(message.edited_at) if message.edited_at else None,
        sibling_count=message.siblings,
        sibling_number=message.sibling,
        next_message=_beside(message, message.next),
    )


def _beside(message: Message, other: UUID | None) -> str:
    """The name of another message of the same conversation."""
    return f"conversations/{message.conversation}/messages/{other}" if other is not None else ""


def wish_from_proto(request: chat_pb2.SendMessageRequest) -> Wish:
    model, preference = choice_from_proto(request.choice)
    if request.after and conversation_id(request.after) != conversation_id(request.parent):
        raise bad_field("after", "is not of this conversation")
    # What shows a picture need say nothing.
    if not request.media:
        check_said("text", request.text)
    return Wish(
        request.text,
        request.request_id,
        Choice(model, preference, request.explain),
        media=tuple(UUID(one.split("/")[1]) for one in request.media),
        speakers=tuple(request.speakers),
        after=message_id(request.after) if request.after else None,
    )


def event_to_proto(event: Event) -> chat_pb2.ChatEvent:
    proto = chat_pb2.ChatEvent(message=event.message, number=event.number)
    match event.what:
        case Started() as started:
            proto.started.CopyFrom(_started(started))
        case Said(text):
            proto.delta.text = text
        case Seam() as seam:
            proto.seam.CopyFrom(_seam(seam))
        case Delayed():
            proto.delayed.SetInParent()
        case Ended(answer) if answer.finish is not None:
            finished = chat_pb2.Finished(
                reason=FINISH_REASONS[answer.finish], message=message_to_proto(answer), receipt=_receipt(answer)
            )
            proto.finished.CopyFrom(finished)
        case Ended(answer):
            proto.failed.CopyFrom(_failed(answer))
    return proto


def _failed(answer: Message) -> chat_pb2.Failed:
    assert answer.failure is not None  # noqa: S101 (the schema says so)
    return chat_pb2.Failed(
        reason=FAILURE_REASONS[answer.failure],
        description=DESCRIPTIONS[answer.failure],
        message=message_to_proto(answer),
        receipt=_receipt(answer),
    )


def _started(started: Started) -> chat_pb2.Started:
    decision = decision_to_proto(started.decision) if started.decision else None
    question = message_to_proto(started.question) if started.question else None
    return chat_pb2.Started(user_message=question, model=started.model, decision=decision)


def _seam(seam: Seam) -> chat_pb2.Seam:
    return chat_pb2.Seam(
        from_model=seam.from_model,
        to_model=seam.to_model,
        fault=FAULTS[seam.fault],
        mode=SEAM_MODES[seam.mode],
        kept_characters=seam.kept,
    )


def _receipt(answer: Message) -> chat_pb2.Receipt:
    return chat_pb2.Receipt(
        meter=answer.meter,
        charged=answer.charged,
        remaining=answer.remaining,
        usage=_usage(answer.usage),
        attempts=[_attempt(one) for one in answer.spent.attempts],
        cost_usd=float(answer.spent.cost),
        images=answer.images if answer.charged else 0,
        images_meter=answer.images_meter if answer.charged and answer.images else "",
    )


def _attempt(attempt: Attempt) -> chat_pb2.Attempt:
    return chat_pb2.Attempt(
        model=attempt.model,
        fault=FAULTS[attempt.fault] if attempt.fault else None,
        usage=_usage(attempt.usage),
        first_word_seconds=attempt.first_word_seconds,
    )


def _usage(usage: Usage | None) -> chat_pb2.TokenUsage | None:
    if usage is None:
        return None
    return chat_pb2.TokenUsage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        estimated=usage.estimated,
        cached_input_tokens=usage.cached_tokens,
    )


def _messages_scope(request: chat_pb2.ListMessagesRequest) -> str:
    return f"{request.parent}/messages {request.all_branches} {request.pinned}"
