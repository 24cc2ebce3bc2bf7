"""`python -m edge`: admission and reflection as a process."""

from functools import partial

from envoy.service.auth.v3 import external_auth_pb2_grpc as auth_grpc

from edge import admission, reflection
from edge.settings import EdgeSettings
from runtime import process
from runtime.channels import channels
from runtime.serve import serve
from runtime.settings import load
from scenemesh.quota.v1 import quota_pb2_grpc


async def main(settings: EdgeSettings) -> None:
    async with channels(settings, "edge") as connect:
        servicer = admission.Admission(quota_pb2_grpc.QuotaServiceStub(connect("quota")))
        register = partial(auth_grpc.add_AuthorizationServicer_to_server, servicer)
        await serve(
            settings, "edge", register, [admission.SERVICE], reflected=reflection.servicer(settings.descriptors)
        )


if __name__ == "__main__":
    settings = load(EdgeSettings)
    process.run("edge", settings, partial(main, settings))
