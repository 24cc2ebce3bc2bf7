"""What reflection shows of the contract, asked over the wire."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from edge import reflection
from runtime.contract import descriptor_set_path
from runtime.serve import serving
from runtime.settings import ProcessSettings
from tests.harness.serving import client_credentials

REQUEST = reflection_pb2.ServerReflectionRequest


@pytest.fixture
async def stub(certificates: Path) -> AsyncIterator[Any]:
    settings = ProcessSettings(certificates=certificates / "edge", redis_url="unix:///nowhere")
    reflected = reflection.servicer(descriptor_set_path())
    async with serving(settings, lambda server: None, [], reflected=reflected) as server:
        target = server.address.replace("127.0.0.1", "localhost")
        async with grpc.aio.secure_channel(target, client_credentials(certificates / "edge")) as channel:
            yield reflection_pb2_grpc.ServerReflectionStub(channel)


async def _ask(stub: Any, request: Any) -> Any:
    call = stub.ServerReflectionInfo()
    await call.write(request)
    await call.done_writing()
    return await call.read()


async def test_it_lists_the_services_that_have_a_method_for_the_outside(stub: Any) -> None:
    answer = await _ask(stub, REQUEST(list_services=""))
    assert [service.name for service in answer.list_services_response.service] == [
        "scenemesh.billing.v1.BillingService",
        "scenemesh.billing.v1.WebhookService",
        "scenemesh.chat.v1.ArchiveService",
        "scenemesh.chat.v1.CharacterService",
        "scenemesh.chat.v1.ChatService",
        "scenemesh.chat.v1.MediaService",
        "scenemesh.quota.v1.QuotaService",
        "scenemesh.search.v1.CatalogService",
        "scenemesh.search.v1.SearchService",
    ]


async def test_a_file_comes_with_all_that_it_imports(stub: Any) -> None:
    answer = await _ask(stub, REQUEST(file_containing_symbol="scenemesh.chat.v1.ChatService"))
    files = [
        descriptor_pb2.FileDescriptorProto.FromString(file)
        for file in answer.file_descriptor_response.file_descriptor_proto
    ]
    names = {file.name for file in files}
    assert {"scenemesh/chat/v1/chat.proto", "google/api/annotations.proto", "buf/validate/validate.proto"} <= names
    assert {dependency for file in files for dependency in file.dependency} <= names


async def test_an_unknown_symbol_is_not_found(stub: Any) -> None:
    answer = await _ask(stub, REQUEST(file_containing_symbol="scenemesh.nothing.v1.Nothing"))
    assert answer.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
