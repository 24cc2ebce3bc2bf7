"""REST: JSON over HTTP to gRPC and back by the contract's `google.api.http`; streams become Server-Sent Events."""

from envoy_data_plane.envoy.extensions.filters.http.grpc_json_transcoder.v3 import (
    GrpcJsonTranscoder,
    GrpcJsonTranscoderPrintOptions,
    GrpcJsonTranscoderRequestValidationOptions,
)

from mesh.topology import Topology

FILTER = "envoy.filters.http.grpc_json_transcoder"


def transcoder(topology: Topology) -> GrpcJsonTranscoder:
    """The filter for every service with a REST binding."""
    return GrpcJsonTranscoder(
        proto_descriptor_bin=topology.descriptor_set,
        services=sorted({method.service for method in topology.methods if method.bindings}),
        print_options=GrpcJsonTranscoderPrintOptions(
            always_print_primitive_fields=True,
            preserve_proto_field_names=True,
            stream_sse_style_delimited=True,
        ),
        convert_grpc_status=True,
        match_incoming_request_route=True,
        request_validation_options=GrpcJsonTranscoderRequestValidationOptions(
            reject_unknown_method=True,
            reject_unknown_query_parameters=True,
            reject_binding_body_field_collisions=True,
        ),
    )
