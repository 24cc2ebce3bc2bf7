"""`scenemesh conversations rename`, `archive`, `unarchive`, `fork` and `delete`."""

from typing import Annotated
from uuid import uuid4

import typer
from google.protobuf.field_mask_pb2 import FieldMask

from cli.caller import Caller
from cli.histories.listing import table
from cli.histories.names import Named, conversation
from cli.tables import draw
from scenemesh.chat.v1 import chat_pb2
from scenemesh.chat.v1.chat_pb2_grpc import ChatServiceStub


def rename(
    caller: Caller,
    name: Named,
    title: Annotated[str, typer.Argument(help='Up to 200 characters; "" gives the characters\' names back.')],
) -> None:
    """Give a conversation another title."""
    _update(caller, chat_pb2.Conversation(name=conversation(name), display_name=title), "display_name")


def archive(caller: Caller, name: Named) -> None:
    """Put a conversation away: `list --archived` shows it."""
    _update(caller, chat_pb2.Conversation(name=conversation(name), archived=True), "archived")


def unarchive(caller: Caller, name: Named) -> None:
    """Take a conversation out again."""
    _update(caller, chat_pb2.Conversation(name=conversation(name), archived=False), "archived")


def fork(
    caller: Caller,
    message: Annotated[str, typer.Argument(help="The last message to take along, conversations/…/messages/….")],
    every: Annotated[bool, typer.Option("--all", help="Take every branch along, not only that message's.")] = False,
    title: Annotated[str, typer.Option(help="What the new one is called; as the old one, if nothing is said.")] = "",
) -> None:
    """Open a new conversation that begins with what was said until then."""
    request = chat_pb2.ForkConversationRequest(
        name=message, all_branches=every, display_name=title, request_id=str(uuid4())
    )
    _tell(caller, caller.change(lambda channel: ChatServiceStub(channel).ForkConversation, request))


def delete(caller: Caller, name: Named) -> None:
    """Delete a conversation with all that was said in it, for good."""
    request = chat_pb2.DeleteConversationRequest(name=conversation(name))
    answer = caller.change(lambda channel: ChatServiceStub(channel).DeleteConversation, request)
    caller.tell(answer, lambda: typer.echo("It is deleted.", err=True))


def _update(caller: Caller, wanted: chat_pb2.Conversation, path: str) -> None:
    request = chat_pb2.UpdateConversationRequest(conversation=wanted, update_mask=FieldMask(paths=[path]))
    _tell(caller, caller.ask(lambda channel: ChatServiceStub(channel).UpdateConversation, request))


def _tell(caller: Caller, told: chat_pb2.Conversation) -> None:
    caller.tell(told, lambda: draw(table([told])))
