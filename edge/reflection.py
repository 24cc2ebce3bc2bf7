"""Reflection through the edge: operators see every service that the edge routes, and its types."""

from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha import reflection

from runtime.contract import Contract


def servicer(descriptors: Path) -> reflection.aio.ReflectionServicer:
    """Reflection over a descriptor set, naming the services that have a method for the outside."""
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(descriptors.read_bytes()).file:
        pool.Add(file)
    external = {method.service for method in Contract.load(descriptors) if method.external}
    return reflection.aio.ReflectionServicer(sorted(external), pool=pool)
