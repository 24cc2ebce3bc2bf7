"""REST: JSON over HTTP to gRPC and back by the contract's `google.api.http`; streams become Server-Sent Events."""

from envoy_data_plane.envoy.extensions.filters.http.grpc_json_transcoder.v3 import (
    GrpcJsonTranscoder,
    GrpcJsonTranscoderPrintOptions,
    GrpcJsonTranscoderRequestValidationOptions,
)

from mesh.resources import limits
from mesh.topology import Topology

FILTER = "envoy.filters.http.grpc_json_transcoder"
# A body that is taken as it came is held here whole, with what makes a message of it. What is too large has ended.
MESSAGE_BYTES_MAX = limits.UPLOAD_BYTES_MAX + limits.REQUEST_BYTES_MAX
# A long message that is read aloud has many megabytes.
ANSWER_BYTES_MAX = 32 * 1024 * 1024


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
        max_request_body_size=MESSAGE_BYTES_MAX,
        max_response_body_size=ANSWER_BYTES_MAX,
        request_validation_options=GrpcJsonTranscoderRequestValidationOptions(
            reject_unknown_method=True,
            reject_unknown_query_parameters=True,
            reject_binding_body_field_collisions=True,
        ),
    )
