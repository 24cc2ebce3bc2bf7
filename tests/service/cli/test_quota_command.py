import jwt
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from runtime.errors import Internal, PermissionDenied, Unauthenticated
from scenemesh.quota.v1 import quota_pb2
from tests.service.cli.conftest import Command, rows
from tests.service.cli.fake_edge import RESET, SPENT, Script


def subject(token: str) -> str:
    return str(jwt.decode(token, options={"verify_signature": False})["sub"])


async def test_what_is_left_is_a_table_by_the_clock_of_the_users_time_zone(command: Command) -> None:
    ran = await command("quota")
    assert ran.code == 0
    assert "alice: free, Europe/Berlin" in ran.out
    assert rows(ran.out) == [
        ["chat", "4", "1", "0", "5", "0", "2026-11-22 01:00"],
        ["voice", "unlimited", "0", "0", "none", "0", "never"],
    ]


async def test_a_meter_that_is_used_up_says_why_and_what_unlocks_it(command: Command, script: Script) -> None:
    script.quota = SPENT
    ran = await command("quota")
    assert rows(ran.out) == [["chat", "0 !", "5", "0", "5", "0", "never"]]
    assert [line.strip() for line in ran.out.splitlines()[-4:]] == [
        "! most of it is used",
        "All 5 turns of today are used.",
        "Creator: 100 per day (plans/creator)",
        "Max: no limit (plans/max)",
    ]


async def test_on_a_narrow_terminal_a_quota_is_a_list(command: Command) -> None:
    ran = await command("quota", COLUMNS="40")
    assert ran.out.splitlines()[:9] == [
        "alice: free, Europe/Berlin",
        "Meter        chat",
        "Left         4",
        "Used         1",
        "Held         0",
        "Limit        5",
        "Granted      0",
        "Starts anew  2026-11-22 01:00",
        "",
    ]


async def test_what_was_left_at_another_time_can_be_asked_for(command: Command, script: Script) -> None:
    assert (await command("quota", "--at", "2026-11-22T01:00:00+01:00")).code == 0
    assert script.requests == [
        quota_pb2.GetQuotaRequest(name="users/me/quota", read_time=Timestamp(seconds=int(RESET.timestamp())))
    ]


@pytest.mark.parametrize(
    "wrong", [("--at", "yesterday"), ("--watch", "--at", "2026-11-22T00:00:00Z"), ("--json", "entries")]
)
async def test_what_makes_no_sense_is_wrong_usage(command: Command, script: Script, wrong: tuple[str, ...]) -> None:
    ran = await command("quota", *wrong)
    told = ran.json["error"]["message"] if "--json" in wrong else ran.out
    assert (ran.code, script.requests) == (2, [])
    assert told == ("Invalid value: Options go after 'entries'." if "--json" in wrong else "")


async def test_an_operator_sees_anothers(command: Command, script: Script) -> None:
    assert (await command("quota", "--of", "bob", "--user", "olga")).code == 0
    assert script.requests == [quota_pb2.GetQuotaRequest(name="users/bob/quota")]
    claims = jwt.decode(script.tokens[0], options={"verify_signature": False})
    assert (claims["sub"], claims["role"]) == ("olga", "operator")


async def test_a_time_zone_is_chosen(command: Command, script: Script) -> None:
    ran = await command("quota", "time-zone", "Asia/Tokyo")
    assert "alice: free, Asia/Tokyo" in ran.out
    assert script.requests == [
        quota_pb2.UpdateQuotaRequest(
            quota=quota_pb2.Quota(name="users/me/quota", time_zone="Asia/Tokyo"),
            update_mask=FieldMask(paths=["time_zone"]),
        )
    ]


async def test_what_is_left_is_json_for_programs(command: Command) -> None:
    told = (await command("quota", "--json")).json
    assert (told["name"], told["plan"], told["meters"][0]["remaining"]) == ("users/alice/quota", "plans/free", "4")


async def test_the_local_issuer_says_who_asks(command: Command, script: Script) -> None:
    await command("quota")
    await command("quota", "--user", "bob")
    assert [subject(token) for token in script.tokens] == ["alice", "bob"]


async def test_a_token_of_ones_own_is_shown_as_it_is(command: Command, script: Script) -> None:
    await command("quota", SCENEMESH_TOKEN="a.b.c")
    assert script.tokens == ["a.b.c"]


async def test_who_is_not_let_in_is_refused(command: Command, script: Script) -> None:
    script.refusal = Unauthenticated("Jwt is expired", reason="UNAUTHENTICATED")
    unknown = await command("quota")
    script.refusal = PermissionDenied("Operators only.", reason="CALLER_NOT_ALLOWED")
    forbidden = await command("quota")
    assert [(ran.code, ran.err.splitlines()[0]) for ran in (unknown, forbidden)] == [
        (4, "scenemesh: Jwt is expired"),
        (4, "scenemesh: Operators only."),
    ]


async def test_a_defect_of_theirs_is_told_with_its_request_id(command: Command, script: Script) -> None:
    script.refusal = Internal("the secret detail", reason="INTERNAL")
    ran = await command("quota", "--json")
    assert (ran.code, ran.json["error"]["code"], ran.json["error"]["request_id"]) == (1, "INTERNAL", "request-1")
