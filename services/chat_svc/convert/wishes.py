"""What the person wishes of a turn that stands beside an earlier one."""

from scenemesh.chat.v1 import chat_pb2
from services.chat_svc.convert.conversations import check_said
from services.chat_svc.convert.messages import message_id
from services.chat_svc.convert.models import choice_from_proto
from services.chat_svc.domain.routing import Choice
from services.chat_svc.domain.wish import Wish


def again_from_proto(request: chat_pb2.RegenerateMessageRequest) -> Wish:
    """One more answer beside an earlier one."""
    choice = Choice(*choice_from_proto(request.choice), request.explain)
    return Wish("", request.request_id, choice, again=message_id(request.name))


def rewritten_from_proto(request: chat_pb2.RewriteMessageRequest) -> Wish:
    """Something else said, beside an earlier message of the person's."""
    check_said("text", request.text)
    choice = Choice(*choice_from_proto(request.choice), request.explain)
    return Wish(request.text, request.request_id, choice, instead_of=message_id(request.name))
