"""A sibling's client in a process of its own, because gRPC reads the xds bootstrap once in a process.

`python -m tests.service.mesh.dial NAME CALLS` calls quota as NAME and prints the instance that answered each call, or
the status code of the first failure.
"""

import asyncio
import sys
import uuid

import grpc
from google.protobuf.duration_pb2 import Duration

from runtime import channels
from runtime.settings import ProcessSettings, load
from scenemesh.quota.v1 import quota_pb2, quota_pb2_grpc

CALL_SECONDS = 60.0


async def main(name: str, calls: int) -> None:
    # Nobody here gives up because the machine is busy with something else.
    channels.UNBOUND_SECONDS = CALL_SECONDS
    channels.policy_seconds = lambda path: CALL_SECONDS  # type: ignore[assignment]
    async with channels.channels(load(ProcessSettings), name) as connect:
        stub = quota_pb2_grpc.QuotaServiceStub(connect("quota"))
        for _ in range(calls):
            request = quota_pb2.ReserveRequest(
                parent="users/ada",
                request_id=str(uuid.uuid4()),
                amounts=[quota_pb2.Amount(meter="chat", amount=1)],
                time_to_live=Duration(seconds=60),
            )
            try:
                answer = await stub.Reserve(request, timeout=CALL_SECONDS)
            except grpc.aio.AioRpcError as error:
                sys.stdout.write(f"{error.code().name}\n")
                return
            sys.stdout.write(f"{answer.hold.name.rpartition('/')[2]}\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
