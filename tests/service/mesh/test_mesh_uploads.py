"""Files, through Envoy: as large as the contract allows, and no larger."""

import base64
import io
import json

import grpc
import pytest

from mesh.resources.limits import REQUEST_BYTES_MAX, UPLOAD_BYTES_MAX
from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc, media_pb2, media_pb2_grpc
from tests.service.mesh.conftest import Caller, Tokens

LARGEST = 2_621_440
NAME = "media/00000000-0000-4000-8000-{:012d}"


def metadata(tokens: Tokens) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {tokens()}"),)


async def test_the_largest_file_goes_in_over_rest_and_over_grpc(caller: Caller, tokens: Tokens) -> None:
    content = b"\x89PNG" + b"\xff" * (LARGEST - 4)
    body = json.dumps({"content": base64.b64encode(content).decode()}).encode()
    headers = {"content-type": "application/json"}
    status, media = await caller.rest("POST", "/v1/media", tokens(), headers, data=io.BytesIO(body))
    assert (status, media["name"], media["content_type"]) == (200, f"media/{LARGEST}", "89504e47")
    async with caller.channel() as channel:
        request = media_pb2.CreateMediaRequest(content=content)
        kept = await media_pb2_grpc.MediaServiceStub(channel).CreateMedia(request, metadata=metadata(tokens))
    assert kept.name == f"media/{LARGEST}"


async def test_what_is_larger_ends_at_the_edge(caller: Caller, tokens: Tokens) -> None:
    body = b'{"content": "' + b"A" * UPLOAD_BYTES_MAX + b'"}'
    url = f"http://{caller.address}/v1/media"
    headers = {"authorization": f"Bearer {tokens()}", "content-type": "application/json"}
    async with caller.session.post(url, data=io.BytesIO(body), headers=headers) as response:
        assert response.status == 413


async def test_what_carries_no_file_stays_small(caller: Caller, tokens: Tokens) -> None:
    async with caller.channel() as channel:
        request = chat_pb2.CreateConversationRequest(
            conversation=chat_pb2.Conversation(display_name="x" * REQUEST_BYTES_MAX)
        )
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await chat_pb2_grpc.ChatServiceStub(channel).CreateConversation(request, metadata=metadata(tokens))
    assert refusal.value.code() is not grpc.StatusCode.OK


@pytest.mark.parametrize("size", [10, 100_000, 3_500_000, 20_000_000])
async def test_a_file_comes_out_as_it_is_with_its_type(caller: Caller, tokens: Tokens, size: int) -> None:
    url = f"http://{caller.address}/v1/{NAME.format(size)}"
    async with caller.session.get(url, headers={"authorization": f"Bearer {tokens()}"}) as response:
        content = await response.read()
        told = (response.status, response.headers["content-type"], response.headers["x-content-type-options"])
    assert (told, content == b"\xff" * size) == ((200, "image/png", "nosniff"), True)
