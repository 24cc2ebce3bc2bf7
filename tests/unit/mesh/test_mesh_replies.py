"""Which sentence each of Envoy's own replies becomes, and that the same stands everywhere."""

import base64
import re
import string

import pytest
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import ResponseMapper
from google.rpc import status_pb2

from mesh.resources import limits, replies
from mesh.resources.replies import Reply
from mesh.topology import Topology

# What gRPC puts into a header as it is. "%" begins a command in Envoy's formats.
PLAIN = set(string.ascii_letters + string.digits + string.punctuation + " ") - {"%"}


def table(topology: Topology) -> list[Reply]:
    return [*replies.too_often(topology), *replies.too_large(topology), *replies.REPLIES, *replies.OTHERS]


def headers(mapper: ResponseMapper) -> dict[str, str]:
    return {one.header.key: one.header.value for one in mapper.headers_to_add if one.header is not None}


@pytest.mark.parametrize(
    ("status", "details", "message"),
    [
        (401, "jwt_authn_access_denied{Jwks_remote_fetch_is_failed}", "because its issuer does not answer"),
        (401, "jwt_authn_access_denied{Jwks_doesn't_have_key_to_match_kid_or_alg_from_Jwt}", "not one that is taken"),
        (408, "request_overall_timeout", "did not arrive in time"),
        (408, "upstream_max_stream_duration_reached", replies.LATE),
        (408, "max_duration_timeout", replies.LATE),
        (502, "upstream_reset_before_response_started{protocol_error}", replies.BROKEN_OFF),
        (503, "upstream_reset_before_response_started{connection_termination}", replies.BROKEN_OFF),
        (503, "upstream_reset_before_response_started{remote_reset}", replies.BROKEN_OFF),
        (503, "upstream_reset_before_response_started{remote_connection_failure}", replies.NOT_REACHED),
        (503, "upstream_reset_before_response_started{connection_timeout}", replies.NOT_REACHED),
        (503, "upstream_reset_before_response_started{remote_refused_stream_reset}", replies.NOT_REACHED),
        (503, "upstream_reset_before_response_started{overflow}", replies.BUSY),
        (503, "overload", replies.BUSY),
        (503, "health_check_failed_cluster_empty", replies.NOT_REACHED),
        (504, "stream_idle_timeout", replies.LATE),
    ],
)
def test_envoys_details_tell_replies_with_one_status_apart(status: int, details: str, message: str) -> None:
    fits = [one for one in replies.REPLIES if one.status == status and re.search(one.details, details)]
    assert message in fits[0].message


def test_who_may_call_again_without_harm_is_told_when() -> None:
    waits = {one.message for one in replies.REPLIES if one.retry_seconds}
    assert {replies.NOT_REACHED, replies.BUSY} <= waits
    assert not {replies.BROKEN_OFF, replies.LATE} & waits


def test_every_message_is_a_plain_sentence(topology: Topology) -> None:
    for one in table(topology):
        said = one.message.removesuffix(replies.ENVOYS_WORDS)
        assert (set(said) - PLAIN, said[0].isupper(), said.rstrip()[-1] in ".:") == (set(), True, True), one


def test_every_reply_is_there_for_rest_and_for_grpc_but_where_envoys_words_are_needed(topology: Topology) -> None:
    mappers = replies.local_replies(topology).mappers[1:]
    over_rest = [one for one in mappers if one.body_format_override is not None]
    over_grpc = [headers(one)["grpc-message"] for one in mappers if one.headers_to_add]
    rows = table(topology)
    assert (len(over_rest), len(over_rest) + len(over_grpc)) == (len(rows), len(mappers))
    assert over_grpc == [one.message for one in rows if replies.ENVOYS_WORDS not in one.message]


def test_over_grpc_the_details_repeat_the_status(topology: Topology) -> None:
    for mapper in replies.local_replies(topology).mappers:
        if mapper.headers_to_add:
            told = headers(mapper)
            details = status_pb2.Status.FromString(base64.b64decode(told["grpc-status-details-bin"] + "=="))
            assert (mapper.status_code, details.code, details.message) == (
                200,
                int(told["grpc-status"]),
                told["grpc-message"],
            )


def test_how_long_to_wait_follows_from_the_policy(topology: Topology) -> None:
    limit = {one.path: one.policy.rate_limit for one in topology.methods if one.external}
    rows = list(replies.too_often(topology))
    assert [one.retry_seconds for one in rows] == [6, 3, 2, 1]
    assert rows[-1].routes == ()
    for row in rows[:-1]:
        waits = {limits.wait_seconds(rate) for path in row.routes if (rate := limit[path]) is not None}
        assert waits == {row.retry_seconds}


def test_how_large_a_request_may_be_follows_from_the_contract(topology: Topology) -> None:
    allowed = {one.path: limits.request_bytes_max(one) for one in topology.methods if one.external}
    told = {route: row.message for row in replies.too_large(topology) for route in (row.routes or ("everything else",))}
    larger = {path: bytes_max for path, bytes_max in allowed.items() if bytes_max != limits.REQUEST_BYTES_MAX}
    assert set(told) == {*larger, "everything else"}
    assert all(f" {bytes_max // 1024} KiB " in told[path] for path, bytes_max in larger.items())
