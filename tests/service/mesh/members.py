"""Toy members of the mesh, behind the real server: they answer with what they heard."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc
from envoy.service.auth.v3 import external_auth_pb2, external_auth_pb2_grpc
from envoy.type.v3 import http_status_pb2
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.empty_pb2 import Empty

from runtime.errors import InvalidArgument, Unauthenticated, Unavailable
from runtime.serve import Register
from scenemesh.billing.v1 import billing_pb2, billing_pb2_grpc, webhook_pb2, webhook_pb2_grpc
from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc, media_pb2, media_pb2_grpc
from scenemesh.quota.v1 import quota_pb2, quota_pb2_grpc
from scenemesh.search.v1 import search_pb2, search_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]
ADMISSION = "envoy.service.auth.v3.Authorization"
CHAT = ("scenemesh.chat.v1.ChatService", "scenemesh.chat.v1.MediaService")
BILLING = ("scenemesh.billing.v1.BillingService", "scenemesh.billing.v1.WebhookService")


def heard(context: Context) -> dict[str, str]:
    """The call's metadata."""
    return {key: str(value) for key, value in context.invocation_metadata() or ()}


class Quota(quota_pb2_grpc.QuotaServiceServicer):
    """`name` is the request's, `plan` the metadata as JSON."""

    def __init__(self, instance: str = "") -> None:
        self.instance = instance

    async def GetQuota(self, request: quota_pb2.GetQuotaRequest, context: Context) -> quota_pb2.Quota:
        return quota_pb2.Quota(name=request.name, plan=json.dumps(heard(context)))

    async def Reserve(self, request: quota_pb2.ReserveRequest, context: Context) -> quota_pb2.ReserveResponse:
        return quota_pb2.ReserveResponse(hold=quota_pb2.Hold(name=f"{request.parent}/holds/{self.instance}"))


class Search(search_pb2_grpc.SearchServiceServicer):
    """Suggests itself: the instance's name is the suggestion's."""

    def __init__(self, instance: str) -> None:
        self.instance = instance

    async def Suggest(self, request: search_pb2.SuggestRequest, context: Context) -> search_pb2.SuggestResponse:
        found = search_pb2.Suggestion(name=self.instance, display_name=request.query)
        return search_pb2.SuggestResponse(suggestions=[found])

    async def GetTitle(self, request: search_pb2.GetTitleRequest, context: Context) -> search_pb2.Title:
        return search_pb2.Title(name=request.name)


class Chat(chat_pb2_grpc.ChatServiceServicer):
    """Answers in three events."""

    async def CreateConversation(
        self, request: chat_pb2.CreateConversationRequest, context: Context
    ) -> chat_pb2.Conversation:
        return request.conversation

    async def SendMessage(
        self, request: chat_pb2.SendMessageRequest, context: Context
    ) -> AsyncIterator[chat_pb2.ChatEvent]:
        yield chat_pb2.ChatEvent(number=1, started=chat_pb2.Started(model="echo"))
        yield chat_pb2.ChatEvent(number=2, delta=chat_pb2.Delta(text=request.text))
        yield chat_pb2.ChatEvent(number=3, finished=chat_pb2.Finished())


class Media(media_pb2_grpc.MediaServiceServicer):
    """Keeps what came, under the name of how large it is, and gives so much of it back as a name says."""

    async def CreateMedia(self, request: media_pb2.CreateMediaRequest, context: Context) -> media_pb2.Media:
        return media_pb2.Media(name=f"media/{len(request.content)}", content_type=request.content[:4].hex())

    async def GetMedia(self, request: media_pb2.GetMediaRequest, context: Context) -> HttpBody:
        size = int(request.name.rpartition("-")[2])
        return HttpBody(content_type="image/png", data=b"\xff" * size)


class Billing(billing_pb2_grpc.BillingServiceServicer):
    """Has no plans."""

    async def ListPlans(self, request: billing_pb2.ListPlansRequest, context: Context) -> billing_pb2.ListPlansResponse:
        return billing_pb2.ListPlansResponse()


@dataclass(frozen=True)
class Delivery:
    """What came to a webhook: the body, the type that it was sent with, and the call's metadata."""

    data: bytes
    content_type: str
    metadata: dict[str, str]


class Webhooks(webhook_pb2_grpc.WebhookServiceServicer):
    """Keeps what came last; refuses the bodies `unsigned`, `nonsense` and `later`."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []

    async def ReceiveStripe(self, request: webhook_pb2.ReceiveStripeRequest, context: Context) -> Empty:
        self.deliveries.append(Delivery(request.body.data, request.body.content_type, heard(context)))
        match request.body.data:
            case b"unsigned":
                raise Unauthenticated("No signature.", reason="BAD_SIGNATURE")
            case b"nonsense":
                raise InvalidArgument("No event.", reason="BAD_BODY")
            case b"later":
                raise Unavailable("Not kept.", reason="DATABASE_UNAVAILABLE")
        return Empty()

    def register(self, server: grpc.aio.Server) -> None:
        webhook_pb2_grpc.add_WebhookServiceServicer_to_server(self, server)


class Admission(external_auth_pb2_grpc.AuthorizationServicer):  # type: ignore[misc] # the package has no types
    """Turns away the user `broke`, with the meter it was asked about."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []

    async def Check(self, request: Any, context: Context) -> Any:
        extensions = dict(request.attributes.context_extensions)
        self.asked.append(extensions)
        response = external_auth_pb2.CheckResponse()
        if request.attributes.request.http.headers.get("x-user-id") != "broke":
            response.ok_response.SetInParent()
            return response
        response.status.code = 8
        response.dynamic_metadata["refused"] = True
        denied = response.denied_response
        denied.status.CopyFrom(http_status_pb2.HttpStatus(code=402))
        header = denied.headers.add().header
        header.key, header.value = "content-type", "application/json"
        denied.body = json.dumps({"reason": "QUOTA_EXHAUSTED", "meter": extensions["meter"]})
        return response

    def register(self, server: grpc.aio.Server) -> None:
        external_auth_pb2_grpc.add_AuthorizationServicer_to_server(self, server)


# Each answers only what the tests ask.


def quota(instance: str) -> Register:
    return partial(quota_pb2_grpc.add_QuotaServiceServicer_to_server, Quota(instance))  # type: ignore[abstract]


def search(instance: str) -> Register:
    return partial(search_pb2_grpc.add_SearchServiceServicer_to_server, Search(instance))  # type: ignore[abstract]


def chat() -> Register:
    def register(server: grpc.aio.Server) -> None:
        chat_pb2_grpc.add_ChatServiceServicer_to_server(Chat(), server)  # type: ignore[abstract]
        media_pb2_grpc.add_MediaServiceServicer_to_server(Media(), server)  # type: ignore[abstract]

    return register


def billing(webhooks: Webhooks) -> Register:
    def register(server: grpc.aio.Server) -> None:
        billing_pb2_grpc.add_BillingServiceServicer_to_server(Billing(), server)  # type: ignore[abstract]
        webhooks.register(server)

    return register
