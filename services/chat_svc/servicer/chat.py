"""ChatService, of its parts."""

from services.chat_svc.servicer.conversations import ConversationRpcs
from services.chat_svc.servicer.converse import ConverseRpcs
from services.chat_svc.servicer.follow_ups import FollowUpRpcs
from services.chat_svc.servicer.messages import MessageRpcs
from services.chat_svc.servicer.turns import TurnRpcs


class ChatServicer(ConversationRpcs, MessageRpcs, FollowUpRpcs, TurnRpcs, ConverseRpcs):
    """Every RPC of ChatService."""
