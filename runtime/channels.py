"""Channels to siblings: `xds:///name`, resolved by the control plane, over mutual TLS.

Retries and load balancing come from the control plane, which derives them from the contract. What a call carries on
from the one it serves (the rest of its deadline, the request id, the trace) is added here.
"""

import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from typing import Any

import grpc
import grpc.experimental
from opentelemetry import propagate

from runtime.certificates import Certificates
from runtime.context import DEADLINE, request_id
from runtime.contract import PACKAGE_ROOT, Contract
from runtime.settings import ProcessSettings

Connect = Callable[[str], grpc.aio.Channel]

# What a hop keeps for itself, so that the outer call can still answer when an inner one runs out of time.
MARGIN_SECONDS = 0.05
# For calls that serve no RPC, such as a job's, and for RPCs outside our contract.
UNBOUND_SECONDS = 5.0

OPTIONS = (("grpc.enable_http_proxy", 0), ("grpc.keepalive_time_ms", 60_000))


@asynccontextmanager
async def channels(settings: ProcessSettings, name: str) -> AsyncIterator[Connect]:
    """Opens channels for the process `name`: `connect("quota")` gives one to quota_svc. All close with the block."""
    # The xds client reads its bootstrap from the environment of its own process, once, at the first channel.
    os.environ["GRPC_XDS_BOOTSTRAP_CONFIG"] = json.dumps(bootstrap(settings, name))
    credentials = grpc.xds_channel_credentials(grpc.experimental.insecure_channel_credentials())  # type: ignore[no-untyped-call]
    async with AsyncExitStack() as stack:
        opened: dict[str, grpc.aio.Channel] = {}

        def connect(sibling: str) -> grpc.aio.Channel:
            if sibling not in opened:
                opened[sibling] = grpc.aio.secure_channel(
                    f"xds:///{sibling}", credentials, options=OPTIONS, interceptors=[Propagation()]
                )
                stack.push_async_callback(opened[sibling].close)
            return opened[sibling]

        yield connect


def bootstrap(settings: ProcessSettings, name: str) -> dict[str, Any]:
    """The gRPC xds bootstrap of a process."""
    certificates = Certificates(settings.certificates)
    files = {
        "certificate_file": str(certificates.certificate),
        "private_key_file": str(certificates.key),
        "ca_certificate_file": str(certificates.authority),
    }
    return {
        "xds_servers": [
            {
                "server_uri": settings.control_plane,
                "channel_creds": [{"type": "tls", "config": files}],
                "server_features": ["xds_v3"],
            }
        ],
        "node": {"id": f"{name}-{uuid.uuid4()}", "cluster": name, "locality": {"zone": "local"}},
        "certificate_providers": {
            "mesh": {"plugin_name": "file_watcher", "config": {**files, "refresh_interval": "60s"}}
        },
    }


class Propagation(grpc.aio.UnaryUnaryClientInterceptor):
    """Hands the rest of the deadline, the request id and the trace on to the next hop."""

    async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        metadata = grpc.aio.Metadata(*(client_call_details.metadata or ()))
        path = client_call_details.method
        path = path.decode() if isinstance(path, bytes) else path
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
        if request_id():
            carrier["x-request-id"] = request_id()
        for key, value in carrier.items():
            metadata.set_all(key, [value])
        details = grpc.aio.ClientCallDetails(
            client_call_details.method,
            min(client_call_details.timeout or UNBOUND_SECONDS, policy_seconds(path), remaining_seconds()),
            metadata,
            client_call_details.credentials,
            client_call_details.wait_for_ready,
        )
        return await continuation(details, request)


@cache
def policy_seconds(path: str) -> float:
    """The deadline that the contract gives an RPC, by its gRPC path."""
    service = path.split("/")[1]
    if service.split(".")[0] != PACKAGE_ROOT:
        return UNBOUND_SECONDS
    return Contract.of([service]).methods[path].policy.deadline.total_seconds()


def remaining_seconds() -> float:
    """What is left of the deadline of the call being served, less this hop's margin."""
    deadline = DEADLINE.get(None)
    if deadline is None:
        return UNBOUND_SECONDS
    return max(0.0, deadline - asyncio.get_running_loop().time() - MARGIN_SECONDS)
